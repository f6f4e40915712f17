package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/anishathalye/porcupine"
)

// A register retires after this many requests, or unknown results. The check takes the longer the
// more results are unknown.
const (
	registerRequests = 150
	registerUnknown  = 4
)

// A register is a file whose history is recorded.
type register struct {
	history
	name string

	mu     sync.Mutex
	tokens map[string]string // lock tokens by owner
	tags   map[string]string // entity tags by body
	body   string            // what was read or written last
	holder string            // the owner of the lock that was seen last
}

// registers are clients that all change the same few files.
type registers struct {
	wire  *wire
	clock clock
	dir   string // the collection of the files

	mu      sync.Mutex
	current []*register
	all     []*register

	sent, unknown atomic.Int64
}

// newRegisters returns clients of n registers in the collection dir.
func newRegisters(w *wire, c clock, dir string, n int) *registers {
	load := &registers{wire: w, clock: c, dir: dir, current: make([]*register, n)}
	for slot := range n {
		load.renew(slot, nil)
	}
	return load
}

// renew replaces the register in a slot, if it is still worn.
func (l *registers) renew(slot int, worn *register) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current[slot] != worn {
		return
	}
	r := &register{name: fmt.Sprintf("%s/%d", l.dir, len(l.all)), tokens: map[string]string{}, tags: map[string]string{}}
	l.current[slot], l.all = r, append(l.all, r)
}

// client sends requests until stop is closed.
func (l *registers) client(ctx context.Context, stop <-chan struct{}, seed uint64, who int) {
	rng := rand.New(rand.NewPCG(seed, uint64(who)))
	for count := 0; ; count++ {
		select {
		case <-stop:
			return
		default:
		}
		slot := rng.IntN(len(l.current))
		l.mu.Lock()
		r := l.current[slot]
		l.mu.Unlock()
		in := r.choose(rng, fmt.Sprintf("%d-%d", who, count))
		l.request(ctx, r, in, rng.IntN(8) == 0)
		if all, unknown := r.size(); all >= registerRequests || unknown >= registerUnknown {
			l.renew(slot, r)
		}
	}
}

// request sends in and records the answer. large says that a body is sent in many pieces.
func (l *registers) request(ctx context.Context, r *register, in registerInput, large bool) {
	call := l.clock.now()
	out, a := l.ask(ctx, r, in, large)
	back := l.clock.now()
	l.sent.Add(1)
	r.learn(in, out, a)
	if out.status == 0 {
		l.unknown.Add(1)
		defer pauseBriefly(ctx)
		if a.busy || in.kind == get || in.kind == readProp || in.kind == readHolder {
			return // It had no effect.
		}
		back = never
	}
	r.addRequest(in, out, call, back)
}

// choose returns a random request. unique is a word that no other request contains.
func (r *register) choose(rng *rand.Rand, unique string) registerInput {
	r.mu.Lock()
	defer r.mu.Unlock()
	in := registerInput{kind: get}
	chance := rng.IntN(100)
	switch {
	case chance < 30:
		return in
	case chance < 36:
		in.kind = readProp
		return in
	case chance < 42:
		in.kind = readHolder
		return in
	case chance < 70:
		in.kind, in.value = put, unique
		switch tag := rng.IntN(6); {
		case tag == 0:
			in.ifNone = true
		case tag < 3 && r.tags[r.body] != "":
			in.ifBody = r.body
		}
	case chance < 78:
		in.kind = remove
	case chance < 84:
		in.kind, in.owner = acquire, unique
		return in
	case chance < 92 && r.tokens[r.holder] != "":
		in.kind, in.owner = release, r.holder
		return in
	default:
		in.kind, in.value = setProp, unique
	}
	if r.tokens[r.holder] != "" && rng.IntN(4) > 0 {
		in.owner = r.holder
	}
	return in
}

// ask sends in.
func (l *registers) ask(ctx context.Context, r *register, in registerInput, large bool) (registerOutput, answer) {
	header := r.header(in)
	send := func(method, body string) answer {
		return l.wire.send(ctx, longestRequest, method, r.name, header, body)
	}
	var a answer
	out := registerOutput{}
	switch in.kind {
	case put:
		a = send(put, content(in.value, large))
	case get:
		a = send(get, "")
		out.value = word(a.body)
	case acquire:
		a = send(acquire, lockBody(in.owner, false))
	case setProp:
		a = send(setProp, valueBody(in.value))
	case readProp:
		a = send("PROPFIND", askValue)
		out.value = readValue(a)
		if strings.Contains(a.body, "<D:status>HTTP/1.1 5") {
			a.status = 0
		}
	case readHolder:
		a = send("PROPFIND", askHolder)
		out.value, _ = readLock(a)
	default:
		a = send(in.kind, "")
	}
	out.status = a.status
	if in.kind == setProp && a.status == http.StatusMultiStatus && !strings.Contains(a.body, " 200 ") {
		out.status = innerStatus(a.body)
	}
	if strings.Contains(a.body, changing) {
		a.busy, out.status = true, 0
	}
	if out.status == 0 || out.status >= http.StatusBadRequest {
		out.value, out.says = "", firstLine(a.body)
	}
	return out, a
}

// innerStatus returns the status of a property that could not be set.
func innerStatus(body string) int {
	for _, status := range []int{http.StatusLocked, http.StatusNotFound, http.StatusPreconditionFailed} {
		if strings.Contains(body, fmt.Sprintf(" %d ", status)) {
			return status
		}
	}
	return 0
}

// header returns the header fields of in.
func (r *register) header(in registerInput) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	header := map[string]string{}
	switch in.kind {
	case acquire:
		header["Timeout"] = "Second-3600"
		header["Depth"] = "0"
		return header
	case release:
		header["Lock-Token"] = "<" + r.tokens[in.owner] + ">"
		return header
	case readProp, readHolder:
		header["Depth"] = "0"
		return header
	}
	if in.owner != "" {
		header["If"] = "(<" + r.tokens[in.owner] + ">)"
	}
	if in.ifBody != "" {
		header["If-Match"] = r.tags[in.ifBody]
	}
	if in.ifNone {
		header["If-None-Match"] = "*"
	}
	return header
}

// learn remembers what an answer tells.
func (r *register) learn(in registerInput, out registerOutput, a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if out.status == 0 {
		return
	}
	if out.status >= http.StatusBadRequest {
		return
	}
	switch in.kind {
	case put, get:
		r.body = in.value + out.value
		if tag := a.header.Get("ETag"); tag != "" && r.body != "" {
			r.tags[r.body] = tag
		}
	case acquire:
		r.holder, r.tokens[in.owner] = in.owner, lockToken(a)
	case readHolder:
		if owner, token := readLock(a); owner != "" {
			r.holder, r.tokens[owner] = owner, token
		}
	}
}

// A body is its word, padded with a number of repetitions: shorter bodies arrive in one piece.
const (
	smallBody = 100
	largeBody = 20_000
)

// content returns a body for a word.
func content(word string, large bool) string {
	n := smallBody
	if large {
		n = largeBody
	}
	return fmt.Sprintf("%s %d%s", word, n, strings.Repeat(" "+word, n))
}

// word returns the word of a body. A body that is not whole is returned with a note.
func word(body string) string {
	if body == "" {
		return ""
	}
	word, _, _ := strings.Cut(body, " ")
	if body != content(word, false) && body != content(word, true) {
		return fmt.Sprintf("torn: %d bytes of %s", len(body), word)
	}
	return word
}

// readValue returns the dead property in a 207.
func readValue(a answer) string {
	for _, response := range parseMultistatus(a.body).Responses {
		for _, propstat := range response.Props {
			if strings.Contains(propstat.Status, " 200 ") {
				return propstat.Prop.Value
			}
		}
	}
	return ""
}

// readLock returns the lock in a 207.
func readLock(a answer) (owner, token string) {
	for _, response := range parseMultistatus(a.body).Responses {
		for _, propstat := range response.Props {
			for _, lock := range propstat.Prop.Locks {
				owner, token = owner+lock.Owner, lock.Token
			}
		}
	}
	return owner, token
}

// check reads all registers once more, and returns an error for each history that is impossible.
func (l *registers) check(ctx context.Context) (checked, inconclusive int, errs []error) {
	for _, r := range l.all {
		for _, kind := range []string{get, readProp, readHolder} {
			l.request(ctx, r, registerInput{kind: kind}, false)
		}
		r.forget(besideRemove)
		conclusive, err := r.check(registerModel())
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.name, err))
		}
		if !conclusive {
			inconclusive++
		}
		checked++
	}
	return checked, inconclusive, errs
}

// besideRemove reports whether an operation is a PROPFIND that found a file without its property or
// lock while a DELETE was removing both. A listing describes the file first, and then reads the
// properties and locks, so it may see a moment in between.
func besideRemove(o porcupine.Operation, all []porcupine.Operation) bool {
	in, isRequest := o.Input.(registerInput)
	out, isAnswer := o.Output.(registerOutput)
	if !isRequest || !isAnswer || in.kind != readProp && in.kind != readHolder || out.status != http.StatusMultiStatus || out.value != "" {
		return false
	}
	return slices.ContainsFunc(all, func(other porcupine.Operation) bool {
		removal, ok := other.Input.(registerInput)
		return ok && removal.kind == remove && other.Call <= o.Return && o.Call <= other.Return
	})
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A pair retires after this many changes, and after a change that had to be repeated. A change
// without an answer may be carried out again, much later.
const pairChanges = 14

// longestTree is how long a client repeats a request for a tree. A request that another node must
// finish takes about 15 s.
const longestTree = time.Minute

// members are the files of each tree. There are more collections than files in some.
var members = []string{"a", "b", "c/d", "c/e", "c/f/g", "h/i"}

// treeNames are the names in the listing of a tree.
var treeNames = []string{"", "a", "b", "c", "c/d", "c/e", "c/f", "c/f/g", "h", "h/i"}

// pairs are clients of pairs. One client changes each pair, others read.
type pairs struct {
	site  *site
	wire  *wire
	clock clock
	dir   string

	mu  sync.Mutex
	all []*pair

	changes, repeated, reads atomic.Int64
}

// A pair is two collections, <name>/left and <name>/right.
type pair struct {
	history
	load *pairs
	name string
	// settled is false while a change may be under way that has no answer.
	settled bool
	trees   int
}

// client changes one pair after the other until stop is closed.
func (l *pairs) client(ctx context.Context, stop <-chan struct{}, seed uint64, who int) error {
	rng := rand.New(rand.NewPCG(seed, uint64(1000+who)))
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		l.mu.Lock()
		p := &pair{load: l, name: fmt.Sprintf("%s/%d", l.dir, len(l.all)), settled: true}
		l.all = append(l.all, p)
		l.mu.Unlock()
		if err := l.site.storage.plant(map[string]string{p.name + "/.keep": ""}); err != nil {
			return err
		}
		if err := p.live(ctx, stop, rng); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
}

// live changes the pair until it retires, while readers read it.
func (p *pair) live(ctx context.Context, stop <-chan struct{}, rng *rand.Rand) error {
	var readers sync.WaitGroup
	defer readers.Wait()
	done := make(chan struct{})
	defer close(done)
	for who := range 2 {
		readers.Go(func() { p.reader(ctx, done, rand.New(rand.NewPCG(uint64(who), uint64(len(p.name))))) })
	}
	for range pairChanges {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := p.change(ctx, p.choose(rng)); err != nil {
			return err
		}
		if !p.settled {
			return nil
		}
		if err := p.list(ctx, side(rng.IntN(2))); err != nil {
			return err
		}
	}
	return nil
}

func (p *pair) choose(rng *rand.Rand) pairInput {
	in := pairInput{to: side(rng.IntN(2))}
	switch chance := rng.IntN(10); {
	case p.trees == 0 || chance < 3:
		p.trees++
		in.kind, in.version = installTree, fmt.Sprintf("%s-%d", strings.TrimPrefix(p.name, "/"), p.trees)
	case chance < 6:
		in.kind, in.keep = copyTree, rng.IntN(5) == 0
	case chance < 9:
		in.kind, in.keep = moveTree, rng.IntN(5) == 0
	case p.load.site.database != nil:
		in.kind = removeTree
	default:
		in.kind = moveTree
	}
	if in.kind == moveTree && p.load.site.database == nil {
		// Without a cluster, a replaced tree has the name of the source for a moment, and a
		// DELETE removes one member after the other.
		in.keep = true
	}
	return in
}

// collection returns the name of one side.
func (p *pair) collection(s side) string { return p.name + "/" + s.String() }

// request returns the request for a change.
func (p *pair) request(in pairInput) (method, source string, header map[string]string) {
	header = map[string]string{"Destination": p.load.wire.url + p.collection(in.to)}
	if in.keep {
		header["Overwrite"] = "F"
	}
	switch in.kind {
	case removeTree:
		return "DELETE", p.collection(in.to), nil
	case installTree:
		return "MOVE", p.name + "/new" + in.version[strings.LastIndex(in.version, "-"):], header
	}
	return in.kind, p.collection(in.to.other()), header
}

// change makes a change, and repeats the request until there is an answer.
func (p *pair) change(ctx context.Context, in pairInput) error {
	method, source, header := p.request(in)
	if in.kind == installTree {
		files := map[string]string{}
		for _, member := range members {
			files[source+"/"+member] = in.version
		}
		if err := p.load.site.storage.plant(files); err != nil {
			return err
		}
	}
	call := p.load.clock.now()
	limit := time.Now().Add(longestTree)
	for {
		a := p.load.wire.send(ctx, longestRequest, method, source, header, "")
		p.load.changes.Add(1)
		switch {
		case a.status != 0 && in.repeated && a.status >= http.StatusBadRequest:
			// An earlier request may have been carried out.
			p.add(in, pairOutput{}, call, never)
			return nil
		case a.status != 0:
			p.add(in, pairOutput{status: a.status}, call, p.load.clock.now())
			return nil
		case time.Now().After(limit):
			p.add(in, pairOutput{}, call, never)
			return fmt.Errorf("%s %s has no answer after %v; the last one was %q", method, source, longestTree, a.body)
		}
		if !a.busy {
			in.repeated, p.settled = true, false
		}
		p.load.repeated.Add(1)
		pauseBriefly(ctx)
	}
}

// pauseBriefly waits before a request is repeated.
func pauseBriefly(ctx context.Context) {
	select {
	case <-time.After(200 * time.Millisecond):
	case <-ctx.Done():
	}
}

// reader reads members until done is closed.
func (p *pair) reader(ctx context.Context, done <-chan struct{}, rng *rand.Rand) {
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(rng.IntN(10)) * time.Millisecond):
		}
		_ = p.read(ctx, side(rng.IntN(2)), members[rng.IntN(len(members))]) // Readers may be told to wait.
	}
}

var errNoAnswer = errors.New("no answer")

// read reads a member. Its content is the version of the tree.
func (p *pair) read(ctx context.Context, from side, member string) error {
	call := p.load.clock.now()
	a := p.load.wire.send(ctx, longestRequest, http.MethodGet, p.collection(from)+"/"+member, nil, "")
	p.load.reads.Add(1)
	out := pairOutput{status: a.status}
	switch a.status {
	case http.StatusOK:
		out.version = a.body
	case http.StatusNotFound:
	case 0:
		return fmt.Errorf("GET %s/%s: %w: %.200s", p.collection(from), member, errNoAnswer, a.body)
	default:
		return fmt.Errorf("GET %s/%s: status %d: %.200s", p.collection(from), member, a.status, a.body)
	}
	p.add(pairInput{kind: readMember, to: from}, out, call, p.load.clock.now())
	return nil
}

// list lists one side. No change is under way, so all members must exist, or none.
func (p *pair) list(ctx context.Context, from side) error {
	call := p.load.clock.now()
	a := p.load.wire.send(ctx, longestRequest, "PROPFIND", p.collection(from), map[string]string{"Depth": "infinity"}, askNames)
	if a.status == 0 || partial(a) {
		return nil
	}
	p.add(pairInput{kind: listTree, to: from}, pairOutput{status: a.status}, call, p.load.clock.now())
	var names []string
	for _, response := range parseMultistatus(a.body).Responses {
		names = append(names, strings.Trim(strings.TrimPrefix(response.Href, p.collection(from)), "/"))
	}
	slices.Sort(names)
	if a.status != http.StatusNotFound && !slices.Equal(names, treeNames) {
		return fmt.Errorf("PROPFIND %s: status %d, and the members %q; want %q; %s", p.collection(from), a.status, names, treeNames, a.body)
	}
	return nil
}

// check reads all members of all pairs once more, and returns an error for each pair whose history is
// impossible.
func (l *pairs) check(ctx context.Context) (inconclusive int, errs []error) {
	for _, p := range l.all {
		for _, from := range []side{left, right} {
			for _, member := range members {
				if err := p.read(ctx, from, member); err != nil {
					errs = append(errs, fmt.Errorf("at the end, %w", err))
				}
			}
			if err := p.list(ctx, from); err != nil {
				errs = append(errs, fmt.Errorf("at the end, %w", err))
			}
		}
		conclusive, err := p.check(pairModel())
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
		if !conclusive {
			inconclusive++
		}
	}
	return inconclusive, errs
}

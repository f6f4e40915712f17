package dav

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/davd/davd/storage/tree"
)

// hardBudget is what the interim responses of one operation may take in sum, in
// bytes. After three quarters of it they are bare. curl refuses a response whose
// headers exceed 300 KiB, interim ones included.
const hardBudget = 200 << 10

// interimOverhead is the status line and the empty line, in bytes.
const interimOverhead = len("HTTP/1.1 102 Processing\r\n\r\n")

// askedInterval is the shortest time between two interim responses to a
// client that asked for them.
const askedInterval = time.Second

// keptBack is how many of the interim responses that a client may get are sent at
// the constant interval, whoever asks.
const keptBack = 10

// An emitter is the only writer of an operation's interim responses, and of
// the newlines in its body. It runs from start to stop, and until something is
// due it is a timer: most operations end before.
type emitter struct {
	request *http.Request
	config  *Interim
	// grant is what the request may get. While undecided it is that of a client
	// that did not ask, and is found out when the first is due.
	grant     grant
	undecided bool
	res       *response
	monitor   *tree.Monitor
	// root is the storage name of the request URI; success the status of a
	// member that did not fail; url names a member for Status-URI.
	root    string
	success int
	url     func(name string) string
	// location returns the path of the operation's status document, of which a
	// client that asked is told; nil: there is none.
	location func() string
	outcomes *tree.Outcomes

	// These are start's, then fire's alone.
	sent     int // interim responses
	spent    int // their bytes
	began    time.Time
	lastSent time.Time
	lastSeen tree.Progress

	withheld bool // config.Withheld was called

	client context.Context //nolint:containedctx // lives as long as the request

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	// firing is closed when the call of fire that is under way ends; nil: none
	// is.
	firing chan struct{}
}

// start sends what is due at once, if anything is, and begins to run. client is the
// request's context: it ends when the client has gone or can't be written to.
func (e *emitter) start(client context.Context) (sent bool) {
	e.client = client
	e.began = time.Now()
	e.lastSent = e.began
	first := e.config.after()
	if e.grant.asked && e.grant.limit > 0 {
		first = 0
		e.outcomes = e.monitor.Subscribe()
	}
	if first == 0 {
		e.tick()
		first = e.interval()
	}
	sent = e.sent > 0
	e.mu.Lock()
	defer e.mu.Unlock()
	e.timer = time.AfterFunc(first, e.fire)
	return sent
}

// stop ends the emitter and waits until it has written its last. It may be
// called more than once.
func (e *emitter) stop() {
	e.halt()
	e.outcomes.Close()
	e.withholdAll()
}

// fire is the timer's. It sets it anew at its end, so that no two run at a time.
func (e *emitter) fire() {
	e.mu.Lock()
	if e.stopped {
		e.mu.Unlock()
		return
	}
	firing := make(chan struct{})
	e.firing = firing
	e.mu.Unlock()
	defer close(firing)
	if e.client.Err() != nil {
		e.withhold(connectionGone)
		return
	}
	e.tick()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.firing = nil
	if !e.stopped {
		e.timer.Reset(e.interval())
	}
}

// interval returns the time until the next tick. To a client that asked it is
// a second in the first minute and grows with the age of the operation, but
// never beyond the constant interval: an idle timer must not run out. The last
// ones that it may get are for that timer alone.
func (e *emitter) interval() time.Duration {
	every := e.config.every()
	if !e.grant.asked || e.grant.limit-e.sent <= keptBack || !e.res.held() {
		return every
	}
	every = max(every, askedInterval)
	interval := min(max(time.Since(e.began)/60, askedInterval), every)
	if idle := every - time.Since(e.lastSent); idle > 0 {
		return min(interval, idle) // even when nothing has changed
	}
	return interval
}

// tick sends an interim response, or a sign of life in the body where that is
// all that can be sent.
func (e *emitter) tick() {
	e.decide()
	if e.sent >= e.grant.limit || e.spent >= e.grant.budget() {
		e.withhold(e.grant.spent(e.sent))
		e.res.keepAlive()
		return
	}
	progress := e.monitor.Snapshot()
	now := time.Now()
	if e.grant.asked && e.sent > 0 && progress == e.lastSeen && now.Sub(e.lastSent) < e.config.every() {
		return
	}
	header := e.header(progress)
	if !e.res.interim(header) {
		e.withhold(finalBegun)
		e.res.keepAlive()
		return
	}
	e.sent++
	e.spent += interimOverhead + headerSize(header)
	e.lastSent, e.lastSeen = now, progress
	if e.config.Sent != nil {
		e.config.Sent(e.request, header)
	}
}

// decide finds out what a client may get that did not ask.
func (e *emitter) decide() {
	if e.undecided {
		e.grant, e.undecided = e.config.grant(e.request), false
	}
}

// header returns the header of an interim response.
func (e *emitter) header(progress tree.Progress) http.Header {
	full := e.spent < e.grant.budget()/4*3
	header := http.Header{"Progress": {formatProgress(progress, e.root, full)}}
	if !e.grant.asked || !full {
		return header
	}
	if e.sent == 0 && e.location != nil {
		header["Location"] = []string{e.location()}
	}
	room := maxInterimHeader - headerSize(header) - len(statusURI+": \r\n")
	if uris := formatStatusURI(e.outcomes.Take(), e.success, e.url, room); uris != "" {
		header[statusURI] = []string{uris}
	}
	return header
}

// headerSize returns how many bytes header takes on an HTTP/1.1 connection.
func headerSize(header http.Header) int {
	size := 0
	for name, values := range header {
		for _, value := range values {
			size += len(name) + len(": ") + len(value) + len("\r\n")
		}
	}
	return size
}

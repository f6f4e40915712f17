package dav

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/davd/davd/storage/tree"
)

// hardBudget is how many bytes the interim responses of one operation may take
// together. After three quarters of it, they leave out the names of members. curl
// refuses a response whose headers exceed 300 KiB, including those of interim responses.
const hardBudget = 200 << 10

// interimOverhead is the length of the status line and the empty line, in bytes.
const interimOverhead = len("HTTP/1.1 102 Processing\r\n\r\n")

// askedInterval is the shortest time between two interim responses to a
// client that asked for them.
const askedInterval = time.Second

// keptBack is how many of a client's limited interim responses are reserved for the
// constant interval, even if the client asked for them.
const keptBack = 10

// An emitter is the only writer of the interim responses of one exchange, and of the
// newlines in its body. It runs from start to stop. Until an interim response is due,
// it is only a timer, because most operations end before that.
type emitter struct {
	request *http.Request
	config  *Interim
	// grant is what the request may get. If undecided is set, the client didn't ask, and
	// decide determines the grant when the first interim response is due.
	grant     grant
	undecided bool
	res       *response
	monitor   *tree.Monitor
	// root is the storage name of the request URI. success is the status of a member that
	// didn't fail. url returns the URL of a member for Status-URI.
	root    string
	success int
	url     func(name string) string
	// location returns the path of the operation's status document, for clients that asked.
	// It is nil if there is none.
	location func() string
	outcomes *tree.Outcomes

	// start sets these fields; after that, only fire uses them.
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
	// firing is closed when the running call of fire ends. It is nil if none is running.
	firing chan struct{}
}

// start sends an interim response immediately if one is due, and starts the timer.
// client is the request's context, which ends when the client has gone or can't be
// written to.
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

// stop stops the emitter and waits until its last write has finished. It may be called
// more than once.
func (e *emitter) stop() {
	e.halt()
	e.outcomes.Close()
	e.withholdAll()
}

// fire runs when the timer expires. It restarts the timer when it ends, so only one
// call of fire runs at a time.
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

// interval returns the time until the next tick. For a client that asked, it is a
// second during the first minute, and then grows with the age of the operation. It
// never exceeds the constant interval, so that the client's idle timer doesn't expire.
// The last keptBack interim responses of a limited client only serve that timer.
func (e *emitter) interval() time.Duration {
	every := e.config.every()
	if !e.grant.asked || e.grant.limit-e.sent <= keptBack || !e.res.held() {
		return every
	}
	every = max(every, askedInterval)
	interval := min(max(time.Since(e.began)/60, askedInterval), every)
	if idle := every - time.Since(e.lastSent); idle > 0 {
		return min(interval, idle) // send even if nothing has changed
	}
	return interval
}

// tick sends an interim response. If none may be sent, it keeps the connection alive
// with a newline in the body.
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

// decide determines the grant of a client that didn't ask.
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

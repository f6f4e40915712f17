package interim

import (
	"net/http"
	"sync"
	"time"

	"github.com/davd/davd/dav/internal/field"
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

// Emission says what an Emitter reports about an operation to one client.
type Emission struct {
	Request *http.Request
	Policy  *Policy
	// Monitor is nil if nothing is known about the progress.
	Monitor Monitor
	// Root is the name of the request URI in the names that Monitor reports. Names in
	// Progress are relative to it.
	Root string
	// Success is the status of a member that didn't fail, or 0 if the request has no members
	// (see rule 4 of [Policy]). URL returns the URL of a member for Status-URI.
	Success int
	URL     func(name string) string
	// Location returns the path of the operation's status document, for a client that asked.
	// It is nil if there is none.
	Location func() string
	// Complete reports whether the request's body has been read to its end. Before that,
	// there are no interim responses, because each says that the server has accepted the
	// complete request (RFC 2518 §10.1). nil means that it has.
	Complete func() bool
	// Grant, if not nil, is what the request may get. By default Policy decides.
	Grant *Grant
}

// An Emitter is the only writer of the interim responses of one exchange, and of the
// newlines in its body. It runs until Stop. Until an interim response is due, it is only
// a timer, because most operations end before that.
type Emitter struct {
	about Emission
	res   *Response
	// Grant is what the request may get. If undecided is set, the client didn't ask, and
	// decide determines the grant when the first interim response is due.
	grant     Grant
	undecided bool
	outcomes  Outcomes // nil for a client that didn't ask

	// ticking guards the fields above and these.
	ticking  sync.Mutex
	sent     int // interim responses
	spent    int // their bytes
	began    time.Time
	lastSent time.Time
	lastSeen Progress

	withheld bool // Policy.Withheld was called
	promised bool // see Promised

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	// firing is closed when the running call of fire ends. It is nil if none is running.
	firing chan struct{}
}

// Start sends an interim response to res immediately if one is due, and returns a running
// Emitter for the rest. It ends when the request's context ends, because the client has
// gone then or can't be written to.
func (r *Response) Start(about Emission) *Emitter {
	if about.Monitor == nil {
		about.Monitor = noMonitor{}
	}
	e := &Emitter{about: about, res: r, undecided: true}
	switch {
	case about.Grant != nil:
		e.grant, e.undecided = *about.Grant, false
	case field.PrefersProcessing(about.Request.Header):
		e.decide()
	}
	e.start()
	return e
}

// Sent returns how many interim responses were sent. Call it only after Stop, or when
// Start has returned.
func (e *Emitter) Sent() int { return e.sent }

// Promised reports whether the client asked for interim responses and got the first one
// already. Then the final response has the header Preference-Applied: processing (RFC
// 7240 §3).
func (e *Emitter) Promised() bool { return e.promised }

func (e *Emitter) start() {
	e.began = time.Now()
	e.lastSent = e.began
	first := e.about.Policy.FirstAfter()
	if e.grant.Asked && e.grant.Limit > 0 {
		first = min(first, askedInterval)
		if e.about.Success != 0 {
			first = 0
		}
		e.outcomes = e.about.Monitor.Subscribe()
	}
	if first == 0 {
		e.tick()
		first = e.interval()
	}
	e.promised = e.sent > 0 && e.grant.Asked
	e.mu.Lock()
	defer e.mu.Unlock()
	e.timer = time.AfterFunc(first, e.fire)
}

// Stop stops the Emitter and waits until its last write has finished. It may be called
// more than once.
func (e *Emitter) Stop() {
	e.halt()
	if e.outcomes != nil {
		e.outcomes.Close()
	}
	e.withholdFor(endedBefore)
}

// fire runs when the timer expires. It restarts the timer when it ends, so only one
// call of fire runs at a time.
func (e *Emitter) fire() {
	e.mu.Lock()
	if e.stopped {
		e.mu.Unlock()
		return
	}
	firing := make(chan struct{})
	e.firing = firing
	e.mu.Unlock()
	defer close(firing)
	if e.about.Request.Context().Err() != nil {
		e.ticking.Lock()
		defer e.ticking.Unlock()
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
func (e *Emitter) interval() time.Duration {
	e.ticking.Lock()
	defer e.ticking.Unlock()
	every := e.about.Policy.every()
	if !e.grant.Asked || e.grant.Limit-e.sent <= keptBack || !e.res.held() {
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
func (e *Emitter) tick() {
	e.ticking.Lock()
	defer e.ticking.Unlock()
	if e.about.Complete != nil && !e.about.Complete() {
		return
	}
	e.decide()
	if e.sent >= e.grant.Limit || e.spent >= e.grant.budget() {
		e.withhold(e.grant.spent(e.sent))
		e.res.keepAlive()
		return
	}
	progress := e.about.Monitor.Snapshot()
	now := time.Now()
	if e.grant.Asked && e.sent > 0 && progress == e.lastSeen && now.Sub(e.lastSent) < e.about.Policy.every() {
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
	if e.about.Policy.Sent != nil {
		e.about.Policy.Sent(e.about.Request, header)
	}
}

// pass sends an informational response of the handler, with the header of the response, if
// the client may get it.
func (e *Emitter) pass(status int) {
	e.ticking.Lock()
	defer e.ticking.Unlock()
	e.decide()
	grant := &e.grant
	if status != http.StatusProcessing && grant.Refused.Rule == 3 {
		grant = &Grant{Limit: unlimited} // the rule is about 102s alone
	}
	if e.sent >= grant.Limit || e.spent >= grant.budget() {
		e.withhold(grant.spent(e.sent))
		return
	}
	if size, sent := e.res.inform(status); sent {
		e.sent++
		e.spent += size
		e.lastSent = time.Now()
	}
}

// decide determines the grant of a client that didn't ask.
func (e *Emitter) decide() {
	if e.undecided {
		e.grant, e.undecided = e.about.Policy.Grant(e.about.Request), false
	}
}

// header returns the header of an interim response.
func (e *Emitter) header(progress Progress) http.Header {
	full := e.spent < e.grant.budget()/4*3
	header := http.Header{"Progress": {formatProgress(progress, e.about.Root, full)}}
	if !e.grant.Asked || !full {
		return header
	}
	if e.sent == 0 && e.about.Location != nil {
		header["Location"] = []string{e.about.Location()}
	}
	room := maxInterimHeader - headerSize(header) - len(statusURI+": \r\n")
	if uris := formatStatusURI(e.outcomes.Take(), e.about.Success, e.about.URL, room); uris != "" {
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

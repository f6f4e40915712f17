package dav

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/davd/davd/storage/tree"
)

// What the interim responses of one operation may take in sum, in bytes. curl
// refuses a response whose headers exceed 300 KiB, interim ones included.
const (
	// fullBudget is for those with all their headers; then they are bare.
	fullBudget = 150 << 10
	// hardBudget ends them.
	hardBudget = 200 << 10
)

// interimOverhead is the status line and the empty line, in bytes.
const interimOverhead = len("HTTP/1.1 102 Processing\r\n\r\n")

// askedInterval is the shortest time between two interim responses to a
// client that asked for them.
const askedInterval = time.Second

// An emitter is the only writer of an operation's interim responses, and of
// the newlines in its body. It runs from start to stop.
type emitter struct {
	request *http.Request
	config  *Interim
	grant   grant
	res     *response
	monitor *tree.Monitor
	// root is the storage name of the request URI; success the status of a
	// member that did not fail; url names a member for Status-URI.
	root    string
	success int
	url     func(name string) string

	// These are start's, then run's alone.
	sent     int // interim responses
	spent    int // their bytes
	began    time.Time
	lastSent time.Time
	lastSeen tree.Progress

	once sync.Once
	quit chan struct{}
	done chan struct{}
}

// start sends what is due at once and begins to run. ctx is the request's: it
// ends when the client has gone or can't be written to.
func (e *emitter) start(ctx context.Context) {
	e.quit, e.done = make(chan struct{}), make(chan struct{})
	e.began = time.Now()
	e.lastSent = e.began
	first := e.config.after()
	if e.grant.asked && e.grant.limit > 0 {
		first = 0
	}
	if first == 0 {
		e.tick()
		first = e.interval()
	}
	go e.run(ctx, first)
}

// stop ends the emitter and waits until it has written its last. It may be
// called more than once.
func (e *emitter) stop() {
	e.once.Do(func() { close(e.quit) })
	<-e.done
}

func (e *emitter) run(ctx context.Context, first time.Duration) {
	defer close(e.done)
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-e.quit:
			return
		case <-ctx.Done():
			return
		case <-timer.C:
			e.tick()
			timer.Reset(e.interval())
		}
	}
}

// interval returns the time until the next tick. To a client that asked it is
// a second in the first minute and grows with the age of the operation, but
// never beyond the constant interval: an idle timer must not run out.
func (e *emitter) interval() time.Duration {
	every := e.config.every()
	if !e.grant.asked || e.grant.limit == 0 || !e.res.held() {
		return every
	}
	return min(max(time.Since(e.began)/60, askedInterval), max(every, askedInterval))
}

// tick sends an interim response, or a sign of life in the body where that is
// all that can be sent.
func (e *emitter) tick() {
	if e.sent >= e.grant.limit || e.spent >= hardBudget {
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

// header returns the header of an interim response.
func (e *emitter) header(progress tree.Progress) http.Header {
	full := e.spent < fullBudget
	header := http.Header{"Progress": {formatProgress(progress, e.root, full)}}
	if !e.grant.asked || !full {
		return header
	}
	room := maxInterimHeader - headerSize(header) - len(statusURI+": \r\n")
	if uris := formatStatusURI(e.monitor.TakeOutcomes(), e.success, e.url, room); uris != "" {
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

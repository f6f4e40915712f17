package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// clientBody is the body of a client's request. The Transport reads it in a goroutine of its
// own, which may go on after the upstream has answered. Then the answer is sent in the
// goroutine of the request, which also reads what is left of the body. So stop ends the
// Transport's reading first.
type clientBody struct {
	io.ReadCloser

	w http.ResponseWriter

	mu      sync.Mutex
	stopped bool
	// reading is closed when the running Read ends; nil if none is running.
	reading chan struct{}
}

var errAnswered = errors.New("the upstream has answered before the end of the body")

// Read implements io.Reader. It marks the errors of the client.
func (b *clientBody) Read(p []byte) (int, error) {
	done := make(chan struct{})
	b.mu.Lock()
	if b.stopped {
		b.mu.Unlock()
		return 0, errAnswered
	}
	b.reading = done
	b.mu.Unlock()
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	b.reading = nil
	b.mu.Unlock()
	close(done)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &bodyError{err}
	}
	return n, err
}

// Close implements io.Closer. The server closes the body itself.
func (*clientBody) Close() error { return nil }

// interruptEvery is the time between two attempts to interrupt a Read, which sets a deadline
// of its own before it waits.
const interruptEvery = 20 * time.Millisecond

// stop makes further reads fail, and waits for the running one, which it interrupts.
func (b *clientBody) stop() {
	b.mu.Lock()
	b.stopped = true
	reading := b.reading
	b.mu.Unlock()
	if reading == nil {
		return
	}
	control := http.NewResponseController(b.w)
	ticker := time.NewTicker(interruptEvery)
	defer ticker.Stop()
	for {
		_ = control.SetReadDeadline(time.Now()) // without deadlines, the client has to send or go
		select {
		case <-reading:
			_ = control.SetReadDeadline(time.Time{})
			return
		case <-ticker.C:
		}
	}
}

// bodyError is an error of the client while it sends a body.
type bodyError struct{ error }

func (e *bodyError) Unwrap() error { return e.error }

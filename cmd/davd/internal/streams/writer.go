package streams

import (
	"net/http"
	"time"
)

const (
	// buffered is how much of an answer net/http buffers before it sends anything, in bytes.
	buffered = 4 << 10
	// part is how much of an answer a client must read within the time limit, in bytes.
	part = 64 << 10
)

// writer sets a deadline for each part of an answer, so that the answer is given up if the
// client does not read it.
type writer struct {
	http.ResponseWriter

	stall time.Duration
	// waiting is how many bytes may be in net/http's buffer.
	waiting int
}

// Unwrap supports http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) Write(p []byte) (int, error) {
	if w.waiting += len(p); w.waiting < buffered {
		return w.ResponseWriter.Write(p)
	}
	w.waiting = 0
	written := 0
	for {
		next := p[written:min(written+part, len(p))]
		w.deadline(w.stall)
		n, err := w.ResponseWriter.Write(next)
		w.deadline(0)
		if written += n; err != nil || written == len(p) {
			return written, err
		}
	}
}

// FlushError sends the buffered data. It supports http.ResponseController.
func (w *writer) FlushError() error {
	w.waiting = 0
	w.deadline(w.stall)
	defer w.deadline(0)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (w *writer) Flush() { _ = w.FlushError() }

// deadline limits the time for writing, starting now. With 0 it removes the limit.
func (w *writer) deadline(limit time.Duration) {
	var until time.Time
	if limit > 0 {
		until = time.Now().Add(limit)
	}
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(until)
}

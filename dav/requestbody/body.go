// Package requestbody protects a server from clients that send a request body slowly,
// or never finish it.
//
// net/http reads the rest of an unread body before it sends the header of the answer
// (HTTP/1.1), and waits for it until its ReadTimeout. A server of uploads can't set
// one. Here a body must arrive at a minimum pace, and an answer that comes before the
// end of the body is sent at once. Then the server reads on for a short time and closes
// the connection. Without that, a client that reads the answer only after it has sent
// everything would lose it, because the connection would be reset.
package requestbody

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// keepAliveBytes is how much of an unread body is worth reading to keep the
	// connection. net/http reads as much.
	keepAliveBytes = 256 << 10
	// patience is how long an answer waits for the rest of a body that is almost
	// here: most clients send header and body in one go.
	patience = 100 * time.Millisecond
	// lingerTime and lingerBytes bound what is read after an answer.
	lingerTime  = 5 * time.Second
	lingerBytes = 16 << 20
)

// ErrTooLong is the error of [Body.Discard] for a body that is longer than allowed.
var ErrTooLong = errors.New("the request body is too long")

// Pace is how fast a body must arrive: at least Bytes in each span of Within, not
// counting the time in which the server does not read. The zero value sets no limit.
type Pace struct {
	Bytes  int64
	Within time.Duration
}

// NewPace returns the pace of rate bytes per second on average over each stall. A
// rate of 0 or less asks only for a byte in that time, a stall of 0 or less for
// nothing.
func NewPace(stall time.Duration, rate int64) Pace {
	if stall <= 0 {
		return Pace{}
	}
	return Pace{Bytes: max(int64(stall.Seconds()*float64(rate)), 1), Within: stall}
}

// Body is the body of a request. Read fails with os.ErrDeadlineExceeded when the body
// falls behind its pace. The methods other than Read and Close accept a nil Body,
// which stands for a request without a body.
type Body struct {
	io.ReadCloser

	w      http.ResponseWriter
	pace   Pace
	length int64 // bytes, as announced; -1: unknown
	read   int64 // bytes
	// span is what has arrived in the current span, left what remains of that.
	span int64
	left time.Duration
	// http1: the rest of the body stands in the way of the next request.
	http1 bool
	// waiting: the client may be waiting for a 100 (Continue) before it sends.
	waiting bool
	// whole: all bytes have been read. ended: and the end was seen. failed: reading
	// has failed.
	whole, ended, failed bool
	complete             atomic.Bool // whole
	// answered: an answer goes out before the end of the body.
	answered bool
	released []func()
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	b.waiting = false
	if b.pace.Within <= 0 || b.ended {
		n, err := b.ReadCloser.Read(p)
		b.note(n, err)
		return n, err
	}
	start := time.Now()
	b.deadline(start.Add(b.left))
	n, err := b.ReadCloser.Read(p)
	b.note(n, err)
	if b.span += int64(n); b.span >= b.pace.Bytes {
		b.span, b.left = 0, b.pace.Within
	} else {
		b.left -= time.Since(start)
	}
	return n, err
}

func (b *Body) note(n int, err error) {
	b.read += int64(n)
	b.ended = b.ended || errors.Is(err, io.EOF)
	if b.whole = b.ended || b.read == b.length; b.whole {
		b.complete.Store(true)
	}
	b.failed = b.failed || err != nil && !b.whole
}

// deadline sets the time until which the connection, or the stream, may be read. A
// ResponseWriter that can't leaves the time unlimited.
func (b *Body) deadline(until time.Time) {
	_ = http.NewResponseController(b.w).SetReadDeadline(until)
}

// Whole reports whether the body has been read to its end.
func (b *Body) Whole() bool { return b == nil || b.whole }

// Complete is Whole for other goroutines than the one that reads the body.
func (b *Body) Complete() bool { return b == nil || b.complete.Load() }

// Discard reads the body to its end, if it is not longer than limit.
func (b *Body) Discard(limit int64) error {
	if b.Whole() {
		return nil
	}
	if b.length > limit {
		return ErrTooLong
	}
	n, err := io.Copy(io.Discard, io.LimitReader(b, limit+1))
	if n > limit {
		return ErrTooLong
	}
	return err
}

// AnswerFirst prepares an answer that does not need the rest of the body: unless the
// rest is here already, the connection will be closed after the answer. It must be
// called before the header of the answer is written; the ResponseWriter that
// [Of] returns calls it by itself. Afterwards the context of the request may have
// ended.
func (b *Body) AnswerFirst() {
	if b.Whole() || b.answered || !b.http1 {
		return
	}
	b.answered = true
	if !b.waiting && !b.failed && b.length-b.read <= keepAliveBytes {
		b.deadline(time.Now().Add(patience))
		b.skip(keepAliveBytes + 1)
	}
	if !b.whole {
		b.w.Header().Set("Connection", "close")
	}
}

// skip reads on, at most limit bytes, without a pace.
func (b *Body) skip(limit int64) {
	n, err := io.CopyN(io.Discard, b.ReadCloser, limit)
	b.note(int(n), err)
}

// Release has f called at the end of the request.
func (b *Body) Release(f func()) { b.released = append(b.released, f) }

// linger reads on for a while after an answer before the end of the body. What
// net/http reads afterwards counts against the same time. begun says that an answer was
// written.
func (b *Body) linger(begun bool) {
	if b.whole || !b.http1 {
		return
	}
	b.deadline(time.Now().Add(lingerTime))
	if !begun || !b.answered || b.length >= 0 && b.length-b.read <= keepAliveBytes {
		return // net/http reads the rest, or closes the connection after a panic
	}
	if http.NewResponseController(b.w).Flush() == nil {
		b.skip(lingerBytes)
	}
}

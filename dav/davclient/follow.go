package davclient

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Follow says how a Copy, Move or Delete is followed to its end.
type Follow struct {
	// Wait is for how long the server is to answer with the end alone, in whole
	// seconds; 0: one second.
	Wait time.Duration
	// Progress, if not nil, is called with how far it is, one call after the other:
	// as status documents say it, and interim responses that the server sends by
	// itself.
	Progress func(Progress)
}

type followKey struct{}

// WithFollow returns a context in which a Copy, Move or Delete is followed to its
// end, whatever stands between.
//
// The request has the preference respond-async (RFC 7240 §4.1), with which davd
// answers 202 after Wait and names a document that says how far it is. That is asked
// for, in short requests that come through every proxy and its time-outs, until it
// says how the operation has ended; that is returned as if it were the answer. For a
// server that does not know the preference nothing changes.
//
// Where an answer is lost on the way, the operation is looked for among those that
// the server lists for this user. The request itself is never sent again.
//
// If the end can't be found out, and when ctx ends, the error is an
// [*UnfinishedError].
func WithFollow(ctx context.Context, f Follow) context.Context {
	return context.WithValue(ctx, followKey{}, f)
}

// UnfinishedError is that of an operation that the server goes on with, or may go on
// with.
type UnfinishedError struct {
	// Location is the URL of its status document: a GET says how far it is, a DELETE
	// stops it. "": it is not known, nor whether the server goes on.
	Location string
	// Err is why nobody waits for the end.
	Err error
}

// Error says where to look.
func (e *UnfinishedError) Error() string {
	if e.Location == "" {
		return e.Err.Error() + "; the server may go on"
	}
	return e.Err.Error() + "; the server goes on: see " + e.Location
}

// Unwrap returns Err.
func (e *UnfinishedError) Unwrap() error { return e.Err }

// operate sends a COPY, MOVE or DELETE, and returns its final status, or an *Error
// where that is not one of success.
func (c *Client) operate(ctx context.Context, method, ref string, header http.Header) (status int, err error) {
	f, wanted := ctx.Value(followKey{}).(Follow)
	if !wanted {
		return c.expect(ctx, method, ref, header, nil)
	}
	at, err := c.Resolve(ref)
	if err != nil {
		return 0, err
	}
	if f.Progress == nil {
		f.Progress = func(Progress) {}
	}
	seconds := max(int64(f.Wait/time.Second), 1)
	header.Add("Prefer", "respond-async, wait="+strconv.FormatInt(seconds, 10))
	o := &following{Follow: f, client: c, method: method, source: at, destination: header.Get("Destination"), began: time.Now()}
	return o.run(ctx, header)
}

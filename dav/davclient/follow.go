package davclient

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Follow says how to follow a Copy, Move or Delete to its end.
type Follow struct {
	// Wait is how long the server should wait for the operation to end before it
	// answers 202 (RFC 7240 §4.3), in whole seconds, at least one.
	Wait time.Duration
	// Progress, if not nil, is called with the progress from each status document,
	// and from interim responses that the server sends unasked. There is only one
	// call at a time.
	Progress func(Progress)
}

type followKey struct{}

// WithFollow returns a context where Client follows a Copy, Move or Delete to
// its end, whatever proxies are in between.
//
// The request carries the preference respond-async (RFC 7240 §4.1). With it davd
// answers 202 after Wait and names a status document. The client polls that
// document, in short requests that no proxy times out, until the operation ends,
// and returns the outcome as if it were the answer to the request. A server that
// ignores the preference answers as usual.
//
// If the answer is lost on the way, the client looks for the operation in the list
// that the server keeps for the user. It never sends the request again.
//
// If the outcome can't be found out or ctx ends first, the error is an
// [*UnfinishedError].
func WithFollow(ctx context.Context, f Follow) context.Context {
	return context.WithValue(ctx, followKey{}, f)
}

// UnfinishedError is the error of an operation that is still running on the server,
// or may be.
type UnfinishedError struct {
	// Location is the URL of the operation's status document: GET shows the
	// progress, DELETE stops the operation. If it is "", the document is unknown,
	// and the operation may or may not be running.
	Location string
	// Err is why the client stopped waiting for the end.
	Err error
}

// Error returns the reason and where to look for the operation.
func (e *UnfinishedError) Error() string {
	if e.Location == "" {
		return e.Err.Error() + "; the operation may still be running on the server"
	}
	return e.Err.Error() + "; the operation is still running on the server: see " + e.Location
}

// Unwrap returns Err.
func (e *UnfinishedError) Unwrap() error { return e.Err }

// operate sends a COPY, MOVE or DELETE and returns its final status, with an
// *Error unless the operation succeeded.
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

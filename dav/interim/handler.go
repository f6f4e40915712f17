package interim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
)

// Handler sends interim responses while Next works on a request, by the rules of Policy.
// Next must be set; the zero value of the other fields is useful. A Handler must not be
// copied once it has served a request.
//
// There are none before Next has read the body of the request to its end. If the length of
// the body is unknown, Next must see its io.EOF.
//
// Next gets a ResponseWriter that holds the final response until Next returns, has
// written 256 KiB, or flushes. It supports what that of net/http does, except hijacking.
// The methods that get no interim responses are passed to Next as they are.
//
// Next reports its progress to [CounterOf] the request's context. A FileSystem does so
// if [Count] decorates it.
type Handler struct {
	Next   http.Handler
	Policy Policy
	// Methods are the methods that get interim responses. nil means all but GET, HEAD,
	// OPTIONS, TRACE and CONNECT, whose answers usually begin soon.
	Methods []string

	held Held
}

// quickMethods usually get their answer soon, or take over the connection.
var quickMethods = [...]string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect}

// Quick reports whether requests with the method get no interim responses by default.
func Quick(method string) bool { return slices.Contains(quickMethods[:], method) }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case h.Methods == nil && Quick(r.Method), h.Methods != nil && !slices.Contains(h.Methods, r.Method):
		h.Policy.NoOperation(r)
		h.Next.ServeHTTP(w, r)
		return
	}
	counter := newCounter(r)
	r = r.WithContext(context.WithValue(r.Context(), counterKey{}, counter))
	about := Emission{Request: r, Policy: &h.Policy, Monitor: counter, Success: SuccessOf(r.Method)}
	r.Body, about.Complete = trackBody(r)
	x := Hold(w, about, 0, &h.held)
	defer x.Abandon() // if Next panics
	h.Next.ServeHTTP(x, r)
	_ = x.Finish() // fails only if the client has gone
}

// trackBody returns the body of r, and a function that reports whether it has been read to
// its end. That is nil for a request without a body.
func trackBody(r *http.Request) (io.ReadCloser, func() bool) {
	if r.Body == nil || r.Body == http.NoBody {
		return r.Body, nil
	}
	t := &trackedBody{ReadCloser: r.Body, left: r.ContentLength}
	return t, t.complete.Load
}

type trackedBody struct {
	io.ReadCloser

	left     int64 // negative if the length is unknown
	complete atomic.Bool
}

func (b *trackedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left == 0 || errors.Is(err, io.EOF) {
		b.complete.Store(true)
	}
	return n, err
}

package davclient

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"time"
)

// Interim is an interim response (RFC 9110 §15.2): 102 (Processing) or any other
// except 100 (Continue).
type Interim struct {
	// Status is from 102 to 199.
	Status int
	// Header is the header of the response, unchanged.
	Header http.Header
	// Time is when the response arrived.
	Time time.Time
	// Progress is the parsed header Progress. HasProgress is false if the header
	// is missing or malformed.
	Progress    Progress
	HasProgress bool
	// StatusURI lists the members that were finished since the last interim
	// response, from the headers Status-URI.
	StatusURI []MemberStatus
	// Location is the reference of the operation's status document, or "".
	Location string
}

// Transport is an http.RoundTripper that asks for interim responses and passes them
// to the program. The only other thing it changes in a request is a missing
// User-Agent: net/http's default does not tell its version, so a server must
// assume an old client that fails after five interim responses.
//
// If no function wants the interim responses to a request, Transport passes it on
// unchanged.
type Transport struct {
	// Base sends the requests. Nil means http.DefaultTransport.
	Base http.RoundTripper
	// Interim, if not nil, is called for each interim response to any request. A
	// function from [WithInterim] or [WithUnasked] is called as well.
	//
	// For one request, there is only one call at a time, and none after RoundTrip
	// has returned. A call blocks the connection, so it must not wait for a
	// response.
	Interim func(*http.Request, Interim)
}

type listenerKey struct{}

// listener receives the interim responses to a request.
type listener struct {
	call func(Interim)
	// asks says whether the request asks the server for interim responses.
	asks bool
}

// listenerOf returns the listener in ctx. Its call is nil if ctx has none.
func listenerOf(ctx context.Context) listener {
	l, _ := ctx.Value(listenerKey{}).(listener)
	return l
}

// WithInterim returns a context where a [Transport] asks for interim responses
// to a request and calls interim for each.
//
// A proxy that does not support interim responses, such as nginx, may take the
// first one for the final response. [WithFollow] works without them.
func WithInterim(ctx context.Context, interim func(Interim)) context.Context {
	return context.WithValue(ctx, listenerKey{}, listener{call: interim, asks: true})
}

// WithUnasked is like [WithInterim] but does not ask the server for interim
// responses: interim is called only for those that the server sends on its own.
func WithUnasked(ctx context.Context, interim func(Interim)) context.Context {
	return context.WithValue(ctx, listenerKey{}, listener{call: interim})
}

const userAgent = "davclient"

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	base := cmp.Or(t.Base, http.DefaultTransport)
	own := listenerOf(r.Context())
	if own.call == nil && t.Interim == nil {
		return base.RoundTrip(r)
	}
	calls := &interimCalls{call: func(i Interim) {
		if t.Interim != nil {
			t.Interim(r, i)
		}
		if own.call != nil {
			own.call(i)
		}
	}}
	defer calls.end()
	asking := r.Clone(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got1xxResponse: calls.got}))
	if (own.asks || t.Interim != nil) && !asks(asking.Header.Values("Prefer")) {
		asking.Header.Add("Prefer", "processing")
	}
	if _, named := asking.Header["User-Agent"]; !named {
		asking.Header.Set("User-Agent", userAgent)
	}
	return base.RoundTrip(asking)
}

// asks reports whether the values of Prefer contain "processing" (RFC 7240 §2).
func asks(values []string) bool {
	for preference := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if strings.EqualFold(strings.TrimSpace(preference), "processing") {
			return true
		}
	}
	return false
}

// interimCalls makes the calls for one request. It drops interim responses after
// end, because net/http may still read the connection when the context has ended
// RoundTrip.
type interimCalls struct {
	mu    sync.Mutex
	call  func(Interim)
	ended bool
}

func (c *interimCalls) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
}

// got implements httptrace.ClientTrace.Got1xxResponse. A malformed header counts as missing.
func (c *interimCalls) got(status int, header textproto.MIMEHeader) error {
	if status == http.StatusContinue {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil
	}
	i := Interim{Status: status, Header: http.Header(header).Clone(), Time: time.Now()}
	progress, err := ParseProgress(header.Get("Progress"))
	i.Progress, i.HasProgress = progress, err == nil
	i.StatusURI, _ = ParseStatusURI(header.Values("Status-URI"))
	// The draft's examples have the reference in angle brackets.
	i.Location = strings.TrimSuffix(strings.TrimPrefix(header.Get("Location"), "<"), ">")
	c.call(i)
	return nil
}

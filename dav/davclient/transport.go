package davclient

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"time"
)

// Interim is an interim response (RFC 9110 §15.2): 102 (Processing), or any
// other but 100 (Continue).
type Interim struct {
	// Status is from 102 to 199.
	Status int
	// Header is as it came.
	Header http.Header
	// Time is when it came.
	Time time.Time
	// Progress is the header Progress, if HasProgress: it is there and can be
	// read.
	Progress    Progress
	HasProgress bool
	// StatusURI is what the headers Status-URI say: members of which it is known
	// since the last one what became of them.
	StatusURI []MemberStatus
	// Location is the reference of a document about the operation; "" for none.
	Location string
}

// Transport is a http.RoundTripper that asks for interim responses and hands
// over each. It changes nothing else of a request, but gives it a User-Agent if
// it has none: that of net/http says nothing of its version, and a server must
// then take it for one that can't bear more than five.
//
// What does not want any is passed on as it is.
type Transport struct {
	// Base sends the requests. Nil: http.DefaultTransport.
	Base http.RoundTripper
	// Interim, if not nil, is called for each interim response to any request,
	// and so is that of [WithInterim] or [WithUnasked].
	//
	// The calls for one request come one after the other, and none after
	// RoundTrip has returned. A call holds up the connection, and must not wait
	// for a response.
	Interim func(*http.Request, Interim)
}

type listenerKey struct{}

// listener wants the interim responses to a request.
type listener struct {
	call func(Interim)
	// asks: the request is to ask for them.
	asks bool
}

// listenerOf returns that of ctx; its call is nil where there is none.
func listenerOf(ctx context.Context) listener {
	l, _ := ctx.Value(listenerKey{}).(listener)
	return l
}

// WithInterim returns a context in which a [Transport] asks for interim responses
// to a request, and calls interim for each.
//
// A proxy that does not know them, nginx before all, may take the first for the
// answer, and does so only where one is sent: [WithFollow] needs none.
func WithInterim(ctx context.Context, interim func(Interim)) context.Context {
	return context.WithValue(ctx, listenerKey{}, listener{call: interim, asks: true})
}

// WithUnasked is [WithInterim] without asking: interim is called for those that the
// server sends by itself.
func WithUnasked(ctx context.Context, interim func(Interim)) context.Context {
	return context.WithValue(ctx, listenerKey{}, listener{call: interim})
}

// userAgent is that of requests that have none.
const userAgent = "davclient"

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
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

// asks reports whether the preference is there (RFC 7240 §2).
func asks(values []string) bool {
	for preference := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if strings.EqualFold(strings.TrimSpace(preference), "processing") {
			return true
		}
	}
	return false
}

// interimCalls are the calls for one request. net/http makes them while it
// reads the connection, which it may still do when the context has ended
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

// got is httptrace's Got1xxResponse.
func (c *interimCalls) got(status int, header textproto.MIMEHeader) error {
	if status == http.StatusContinue {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.call(newInterim(status, http.Header(header), time.Now()))
	}
	return nil
}

// newInterim reads the headers of an interim response. What can't be read is
// as if it were not there.
func newInterim(status int, header http.Header, at time.Time) Interim {
	i := Interim{Status: status, Header: header.Clone(), Time: at}
	progress, err := ParseProgress(header.Get("Progress"))
	i.Progress, i.HasProgress = progress, err == nil
	i.StatusURI, _ = ParseStatusURI(header.Values("Status-URI"))
	// The draft's examples have the reference in angle brackets.
	i.Location = strings.TrimSuffix(strings.TrimPrefix(header.Get("Location"), "<"), ">")
	return i
}

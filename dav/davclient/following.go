package davclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync/atomic"
	"time"
)

// following is one COPY, MOVE or DELETE that is followed to its end.
type following struct {
	Follow
	client      *Client
	method      string
	source      *url.URL
	destination string // the header; "" for none
	began       time.Time
	// net/http sets these in goroutines of its own: whether the request was sent, and
	// the last Location that an interim response had.
	sent atomic.Bool
	told atomic.Pointer[string]
}

// lostAnswers are the statuses with which something between tells that it has no
// answer, though the server may go on. 503 is also what a server says that has not
// begun; 520 to 524 are those of a content delivery network.
var lostAnswers = []int{
	http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	520, 521, 522, 523, 524,
}

// run sends the request and returns how it has ended.
func (o *following) run(ctx context.Context, header http.Header) (status int, err error) {
	response, err := o.client.Do(o.watching(ctx), o.method, o.source.String(), header, nil)
	if _, broken := errors.AsType[*url.Error](err); broken && o.sent.Load() {
		return o.lost(ctx, err)
	}
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusAccepted {
		return o.accepted(ctx, response)
	}
	err = ResponseError(response)
	wrong, refused := errors.AsType[*Error](err)
	switch {
	case err == nil, refused && (!slices.Contains(lostAnswers, wrong.Status) || wrong.aboutDestination()):
		return response.StatusCode, err
	}
	return o.lost(ctx, err)
}

// watching returns a context that shows interim responses, and remembers what they
// tell. It does not ask for any: a proxy that takes the first for the answer would
// break this request, and what they tell is in the status document.
func (o *following) watching(ctx context.Context) context.Context {
	outer := listenerOf(ctx)
	ctx = context.WithValue(ctx, listenerKey{}, listener{asks: outer.asks, call: func(i Interim) {
		if i.Location != "" {
			o.told.Store(&i.Location)
		}
		if i.HasProgress {
			o.Progress(i.Progress)
		}
		if outer.call != nil {
			outer.call(i)
		}
	}})
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { o.sent.Store(true) }})
}

// accepted follows what a 202 says goes on (RFC 9110 §15.3.3).
func (o *following) accepted(ctx context.Context, response *http.Response) (status int, err error) {
	location := response.Header.Get("Location")
	if location == "" {
		return 0, &UnfinishedError{Err: &Error{
			Method: o.method, URL: o.source.String(), Status: response.StatusCode,
			Text: "it is not done yet, and the server does not say where to look",
		}}
	}
	document, err := o.document(response.Request.URL, location)
	if err != nil {
		return 0, &UnfinishedError{Err: err}
	}
	return o.follow(ctx, document)
}

// lost looks for an operation whose answer did not come, for the reason err. It is
// not begun anew: it may have ended, and be about something else now.
func (o *following) lost(ctx context.Context, err error) (status int, _ error) {
	var document *url.URL
	if told := o.told.Load(); told != nil {
		document, _ = o.document(o.source, *told)
	}
	if document == nil && ctx.Err() == nil {
		document = o.find(ctx)
	}
	switch wrong, refused := errors.AsType[*Error](err); {
	case document != nil:
		return o.follow(ctx, document)
	case refused && wrong.Status == http.StatusServiceUnavailable:
		return wrong.Status, err // most likely it has not begun
	}
	return 0, &UnfinishedError{Err: err}
}

// document returns the URL of a status document, a reference relative to where it
// was told. One on another host is taken for a path of this: a server behind a proxy
// may not know its own name, and no other host gets the credentials.
func (o *following) document(where *url.URL, location string) (*url.URL, error) {
	u, err := where.Parse(location)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s %s: the server's Location is malformed", o.method, o.source)
	}
	base := o.client.Base
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}, nil
}

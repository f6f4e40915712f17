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

// following is one COPY, MOVE or DELETE that the client follows to its end.
type following struct {
	Follow
	client      *Client
	method      string
	source      *url.URL
	destination string // the header Destination, or ""
	began       time.Time
	// sent is set once the request's headers are written; told is the last Location
	// of an interim response. Callbacks set both in goroutines of net/http.
	sent atomic.Bool
	told atomic.Pointer[string]
}

// lostAnswers are the statuses of a proxy that got no answer from the server, which
// may still be working. A server that has not started also sends 503. 520 to 524
// come from Cloudflare.
var lostAnswers = []int{
	http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	520, 521, 522, 523, 524,
}

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
	if progress, parseErr := ParseProgress(response.Header.Get("Progress")); parseErr == nil {
		o.Progress(progress)
	}
	if err == nil || refused && (!slices.Contains(lostAnswers, wrong.Status) || wrong.aboutDestination()) {
		return response.StatusCode, err
	}
	return o.lost(ctx, err)
}

// watching returns a context that reports the progress of interim responses and
// remembers their Location. It asks for no interim responses of its own: some
// proxies take the first one for the final response, and the status document has
// the same information.
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

// accepted follows an operation that the server answered with 202 (RFC 9110
// §15.3.3).
func (o *following) accepted(ctx context.Context, response *http.Response) (status int, err error) {
	location := response.Header.Get("Location")
	if location == "" {
		return 0, &UnfinishedError{Err: &Error{
			Method: o.method, URL: o.source.String(), Status: response.StatusCode,
			Text: "the operation is not finished, and the server named no status document",
		}}
	}
	document, err := o.document(response.Request.URL, location)
	if err != nil {
		return 0, &UnfinishedError{Err: err}
	}
	return o.follow(ctx, document)
}

// lost looks for an operation whose answer was lost because of err. It does not
// send the request again: the operation may have ended, and its source and
// destination may by now name other resources.
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
		return wrong.Status, err // the operation has most likely not started
	}
	return 0, &UnfinishedError{Err: err}
}

// document returns the URL of a status document from a Location that is relative to
// where. It replaces the host by that of Base: a server behind a proxy may not know
// its own name, and no other host may get the credentials.
func (o *following) document(where *url.URL, location string) (*url.URL, error) {
	u, err := where.Parse(location)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s %s: the server's Location is malformed", o.method, o.source)
	}
	base := o.client.Base
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}, nil
}

package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/dav/requestbody"
	"github.com/davd/davd/storage"
)

// These limit the bodies that the proxy has in memory before it asks the upstream, in bytes:
// that of a COPY, MOVE or DELETE, and that of a request whose XML names resources.
const (
	maxSmallBody = 64 << 10
	maxXMLBody   = 256 << 10
)

// readBody reads a body of at most most bytes, which what calls for the client.
func readBody(r *http.Request, most int, what string) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	switch {
	case err != nil:
		return nil, status.New(http.StatusBadRequest, "the request body ended early")
	case len(body) > most:
		return nil, status.New(http.StatusRequestEntityTooLarge, fmt.Sprintf("the %s of a %s may have %d KiB", what, r.Method, most>>10))
	}
	return body, nil
}

// forward passes on a request that gets no interim responses.
func (h *Handler) forward(w http.ResponseWriter, r *http.Request) error {
	if simple(r) {
		return h.short(r.Context(), w, r)
	}
	return h.pass(r.Context(), &sink{ResponseWriter: w}, r)
}

// onlyReads are methods that change nothing: reports (RFC 3253 §3.6) and searches (RFC 5323).
var onlyReads = map[string]bool{"REPORT": true, "SEARCH": true}

// change passes on a request that probably changes one resource. Once its body has arrived,
// it gets interim responses. A change goes on if the client disconnects.
func (h *Handler) change(w http.ResponseWriter, r *http.Request, name string) error {
	if err := h.translateBody(r); err != nil {
		return err
	}
	leave, err := h.enterChange(r)
	if err != nil {
		return err
	}
	defer leave()
	h.touch(r, name)
	counter := new(interim.Counter)
	about := h.emission(r, name)
	about.Monitor, about.Complete = counter, requestbody.From(r).Complete
	x := interim.Hold(w, about, 0, &h.answers)
	defer x.Abandon() // if the upstream breaks off its answer, which is a panic
	s := newSink(x, counter, name)
	ctx := r.Context()
	if !onlyReads[r.Method] {
		ctx = context.WithoutCancel(ctx)
	}
	err = h.pass(ctx, s, r)
	x.Quiet()
	if err != nil {
		davxml.Respond(x, status.Of(err), err)
	}
	return status.Logged(errors.Join(err, x.Finish()))
}

// emission says what the interim responses to r report.
func (h *Handler) emission(r *http.Request, name string) interim.Emission {
	return interim.Emission{Request: r, Policy: &h.Interim, Root: name, Success: interim.SuccessOf(r.Method), URL: h.absoluteURL(r)}
}

// absoluteURL returns a function that returns the URL of a resource as r's client would
// write it.
func (h *Handler) absoluteURL(r *http.Request) func(name string) string {
	return func(name string) string {
		return h.self().URL(r) + h.href(r.Context(), name)
	}
}

// href returns the clients' URL path of a resource, escaped.
func (h *Handler) href(ctx context.Context, name string) string {
	return h.prefixOf(ctx) + string(field.AppendEscaped(nil, name))
}

// touch forgets the answers that a change of name may outdate.
func (h *Handler) touch(r *http.Request, name string) {
	if !h.claims.KeepAnswers() {
		return
	}
	tenant, _ := storage.TenantOf(h.withOwner(r).Context())
	hold := &operation.Hold{Scopes: []operation.Scope{{Name: name, Tree: true}}, Tenant: tenant, Shared: true}
	_ = h.claims.AcquireHold(r.Context(), hold) // a shared claim never waits
	h.claims.Release(hold)
}

// namesInBody are the methods whose request bodies name resources in DAV:href: reports
// (RFC 3253 §3.6), searches (RFC 5323) and bindings (RFC 5842).
var namesInBody = map[string]bool{"REPORT": true, "SEARCH": true, "BIND": true, "REBIND": true, "ACL": true}

// translateBody translates the hrefs in the body of a request.
func (h *Handler) translateBody(r *http.Request) error {
	if !namesInBody[r.Method] || r.ContentLength == 0 || h.base == h.prefixOf(r.Context()) && r.ContentLength < 0 {
		return nil
	}
	body, err := readBody(r, maxXMLBody, "XML")
	if err != nil {
		return err
	}
	translated, err := io.ReadAll(newHrefReader(bytes.NewReader(body), func(href string) string { return h.hrefToUpstream(r, href) }))
	if err != nil {
		return err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(translated)), int64(len(translated))
	return nil
}

// list passes on a PROPFIND. It is listed as an operation, and ends if its client
// disconnects.
func (h *Handler) list(w http.ResponseWriter, r *http.Request, name string) error {
	progress := new(operation.Counter)
	about := h.emission(r, name)
	about.Complete = requestbody.From(r).Complete
	listing := operation.Listing{Source: name, Watch: progress, Status: http.StatusMultiStatus}
	if err := h.readSmallBody(r); err != nil {
		return err
	}
	broken := false
	err := h.registry.Follow(w, h.request(r, operation.Key{}), about, listing, func(ctx context.Context, x *operation.Exchange) error {
		s := newSink(x.Response, &progress.Counter, name)
		err := h.passWhole(ctx, s, r)
		switch {
		case errors.Is(err, errBroken):
			broken = true
			return status.Logged(err)
		case err != nil:
			return err
		}
		x.Answered(s.status)
		return nil
	})
	if broken {
		panic(http.ErrAbortHandler) // the client must see that the answer is not complete
	}
	return err
}

// readSmallBody reads the body of a safe request, if it is small, so that it can be sent
// directly.
func (h *Handler) readSmallBody(r *http.Request) error {
	if r.ContentLength <= 0 || r.ContentLength > maxDirectBody || r.Header["Expect"] != nil {
		return nil
	}
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return h.upstreamError(r, &bodyError{err})
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody() // has no error
	return nil
}

// request returns r as the Registry sees it.
func (h *Handler) request(r *http.Request, key operation.Key) operation.Request {
	req := operation.Request{
		Request: r, Key: key, Preferences: field.ParsePreferences(r.Header), Principal: storage.PrincipalOf(r.Context()),
	}
	req.Depth, _, _ = field.ParseDepth(r.Header["Depth"]).InListing(r.Method) // the upstream refuses what is invalid
	req.Overwrite, _ = field.ParseOverwrite(r.Header["Overwrite"])
	return req
}

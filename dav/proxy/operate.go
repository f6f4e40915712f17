package proxy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
)

// operate passes on a COPY, MOVE or DELETE as an operation.
func (h *Handler) operate(w http.ResponseWriter, r *http.Request, name string) error {
	if isProbe(r.Method, name) {
		return h.probe(w, r, name)
	}
	if isOperations(name) {
		return status.New(http.StatusForbidden, "the path is reserved for the proxy")
	}
	destination := ""
	if r.Method != http.MethodDelete {
		var err error
		if _, destination, err = h.destination(r); err != nil {
			return err
		}
	}
	body, err := readBody(r, maxSmallBody, "body")
	if err != nil {
		return err
	}
	leave, err := h.enterOperation(r)
	if err != nil {
		return err
	}
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, r))
	key := h.key(r, name, destination, body)
	req := h.request(r, key)
	err = h.registry.Undertake(w, req, leave, func(*cluster.Operation) (operation.Task, error) {
		t := &task{h: h, r: r, source: name, destination: destination, body: body, hold: &operation.Hold{
			Scopes: scopes(name, destination), Key: key, Tenant: key.Tenant, Shared: true,
		}}
		return t, h.claims.AcquireHold(r.Context(), t.hold)
	})
	if _, ok := errors.AsType[*answer](err); ok {
		return nil // the status says it all
	}
	return err
}

func scopes(source, destination string) []operation.Scope {
	scopes := []operation.Scope{{Name: source, Tree: true}}
	if destination != "" {
		scopes = append(scopes, operation.Scope{Name: destination, Tree: true})
	}
	return scopes
}

// varying are headers that differ between a request and its repetition because a client or a
// proxy numbers requests, or that the key has in another form.
var varying = map[string]bool{
	"Authorization": true, "Cookie": true, // in the tenant
	"Destination": true, "Prefer": true, "Date": true, "User-Agent": true, "Accept-Encoding": true, "Connection": true,
	"Content-Length": true, "Via": true, "Forwarded": true, "Max-Forwards": true, "X-Real-Ip": true, "Cdn-Loop": true, "True-Client-Ip": true,
	"X-Request-Id": true, "X-Correlation-Id": true, "X-Varnish": true, "B3": true, "Traceparent": true, "Tracestate": true, "Baggage": true,
}

// varyingPrefixes begin the names of further such headers.
var varyingPrefixes = [...]string{"X-Forwarded-", "Cf-", "X-Amzn-", "X-Amz-Cf-", "X-B3-", "X-Cloud-Trace-", "X-Datadog-", "Uber-Trace-"}

func varies(header string) bool {
	return varying[header] || slices.ContainsFunc(varyingPrefixes[:], func(p string) bool { return strings.HasPrefix(header, p) })
}

// key returns the key of identical requests. All headers belong to it that may change what
// the upstream does.
func (h *Handler) key(r *http.Request, name, destination string, body []byte) operation.Key {
	tenant, _ := storage.TenantOf(r.Context())
	rest := sha256.New()
	headers := r.Header.Clone()
	for header := range headers {
		if varies(header) {
			delete(headers, header)
		}
	}
	_ = headers.Write(rest) // sorted; a Hash does not fail
	_, _ = io.WriteString(rest, r.URL.EscapedPath()+"?"+r.URL.RawQuery+"\n"+r.Host+"\n")
	_, _ = rest.Write(body)
	return operation.Key{
		Server: h, Tenant: tenant, Principal: storage.PrincipalOf(r.Context()), Method: r.Method,
		Source: name, Destination: destination, When: string(rest.Sum(nil)),
	}
}

// task is a COPY, MOVE or DELETE on the upstream.
type task struct {
	h                   *Handler
	r                   *http.Request
	source, destination string
	body                []byte
	hold                *operation.Hold
	counter             operation.Counter // the upstream names failures in its final answer
}

// Resources implements operation.Task, like the methods below.
func (t *task) Resources() (source, destination string) { return t.source, t.destination }

func (t *task) Hold() *operation.Hold { return t.hold }

func (t *task) Monitor() operation.Monitor { return &t.counter }

// Success is the status until the upstream has answered.
func (t *task) Success() int { return http.StatusOK }

// Do sends the request to the upstream. Its error is an [answer], or says why there is
// none.
func (t *task) Do(ctx context.Context, _ func() operation.Operation) error {
	a := &answer{header: make(http.Header), request: t.r.Context().Value(ownerKey{})}
	s := newSink(a, &t.counter.Counter, t.source)
	r := t.r.WithContext(t.r.Context())
	if r.Body = http.NoBody; len(t.body) > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(t.body)), int64(len(t.body))
	}
	err := t.h.passWhole(ctx, s, r)
	switch {
	case errors.Is(err, errBroken):
		return fmt.Errorf("%w after the header of a %d", err, a.status)
	case err != nil:
		return err
	}
	return a.result()
}

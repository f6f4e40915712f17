package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
)

const (
	// dialTimeout is how long a connection to the upstream may take.
	dialTimeout = 10 * time.Second
	// DefaultTimeout is how long the upstream may take for the header of an answer.
	DefaultTimeout = 24 * time.Hour
	// keepAlive and keepAlives say how soon a connection to an upstream that is off counts as
	// broken, even if the upstream may be silent for a long time.
	keepAlive  = 15 * time.Second
	keepAlives = 8
	// idleConns and idleTimeout limit the connections that are kept for later requests.
	idleConns   = 256
	idleTimeout = 90 * time.Second
	// maxHeader limits the header of an upstream's answer, in bytes.
	maxHeader = 1 << 20
	// copyBuffer is how much of a body is in memory, in bytes.
	copyBuffer = 128 << 10
)

// NewTransport returns the connections to an upstream. The upstream may take timeout for the
// header of an answer; zero means DefaultTimeout. config may be nil.
func NewTransport(timeout time.Duration, config *tls.Config) http.RoundTripper {
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: keepAlive, Interval: keepAlive, Count: keepAlives,
	}}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &stallConn{conn}, nil
	}
	return &transport{&direct{dial: dial, timeout: timeout}, &http.Transport{
		DialContext:     dial,
		TLSClientConfig: config, TLSHandshakeTimeout: dialTimeout,
		ResponseHeaderTimeout: timeout, ExpectContinueTimeout: time.Second,
		MaxIdleConns: idleConns, MaxIdleConnsPerHost: idleConns, IdleConnTimeout: idleTimeout,
		MaxResponseHeaderBytes: maxHeader, DisableCompression: true,
		WriteBufferSize: 32 << 10, ReadBufferSize: 32 << 10,
	}}
}

// transport sends what it can directly, and everything else with net/http.
type transport struct {
	direct *direct
	other  *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.direct.takes(r) {
		return t.direct.RoundTrip(r)
	}
	return t.other.RoundTrip(r)
}

// stallTimeout is how long the upstream may take to accept a part of a request.
const stallTimeout = 5 * time.Minute

// stallConn is a connection whose writes fail after stallTimeout.
type stallConn struct{ net.Conn }

func (c *stallConn) Write(p []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(stallTimeout)) // fails only if the connection is closed
	return c.Conn.Write(p)
}

// newReverse returns the reverse proxy. Its ResponseWriters must be sinks.
func (h *Handler) newReverse() *httputil.ReverseProxy {
	transport := h.Transport
	if transport == nil {
		transport = NewTransport(0, nil)
	}
	return &httputil.ReverseProxy{
		Rewrite: h.rewrite, Transport: transport, ModifyResponse: h.translateAnswer,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			w.(*sink).fail(h.upstreamError(r, err)) //nolint:forcetypeassert // see above
		},
		ErrorLog: log.New(io.Discard, "", 0), BufferPool: &buffers{},
	}
}

// buffers implements httputil.BufferPool.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, copyBuffer)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }

// clientRequestKey is the context key of the request as its client sent it.
type clientRequestKey struct{}

// clientRequest returns the client's request for one of the upstream's.
func clientRequest(upstream *http.Request) *http.Request {
	r, _ := upstream.Context().Value(clientRequestKey{}).(*http.Request)
	return r
}

// pass lets the reverse proxy answer r in s. ctx is the context of the upstream's request.
func (h *Handler) pass(ctx context.Context, s *sink, r *http.Request) error {
	if _, ok := h.toUpstream(r.Context(), r.URL.EscapedPath()); !ok && r.URL.Path != "*" {
		return status.New(http.StatusNotFound, "the path is outside "+h.prefixOf(r.Context())+"/")
	}
	if simple(r) {
		return h.short(ctx, s, r)
	}
	out := r.WithContext(context.WithValue(ctx, clientRequestKey{}, r))
	if r.Header["Upgrade"] != nil || r.Header["Http2-Settings"] != nil {
		// Behind a 101, the client could send anything to the upstream.
		out.Header = r.Header.Clone()
		delete(out.Header, "Upgrade")
		delete(out.Header, "Http2-Settings")
	}
	if r.Body != nil && r.Body != http.NoBody {
		s.body = &clientBody{ReadCloser: r.Body, w: s.ResponseWriter}
		defer s.body.stop()
		out.Body = s.body
	}
	h.reverse.ServeHTTP(s, out)
	return s.err
}

// errBroken is the error of an answer that is not complete.
var errBroken = status.New(http.StatusBadGateway, "the upstream broke off its answer")

// passWhole is pass, and returns errBroken if the upstream breaks off its answer. After pass,
// that is a panic with http.ErrAbortHandler.
func (h *Handler) passWhole(ctx context.Context, s *sink, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler { //nolint:errorlint // the value of a panic
				panic(v)
			}
			err = errBroken
		}
	}()
	return h.pass(ctx, s, r)
}

// ownHeaders are about this proxy or about the way to it, and not passed on.
var ownHeaders = [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix"}

// rewrite makes the upstream's request.
func (h *Handler) rewrite(p *httputil.ProxyRequest) {
	in, out := p.In, p.Out
	for _, name := range ownHeaders {
		delete(out.Header, name)
	}
	out.URL.Scheme, out.URL.Host, out.Host = h.Upstream.Scheme, h.Upstream.Host, h.Upstream.Host
	if in.URL.Path != "*" {
		escaped, _ := h.toUpstream(in.Context(), in.URL.EscapedPath()) // pass has checked that it is below the prefix
		out.URL.Path, out.URL.RawPath, out.URL.Opaque = unescape(escaped), escaped, ""
	}
	out.URL.RawQuery = in.URL.RawQuery
	scheme, host := h.self().Of(in)
	if client, _, err := net.SplitHostPort(in.RemoteAddr); err == nil {
		var before []string
		if _, proxies := h.TrustedProxies.Client(in); proxies > 0 {
			before = in.Header["X-Forwarded-For"]
		}
		out.Header["X-Forwarded-For"] = appended(before, client)
	}
	out.Header["X-Forwarded-Host"], out.Header["X-Forwarded-Proto"] = []string{host}, []string{scheme}
	out.Header["Via"] = appended(in.Header["Via"], viaSelf)
	h.translateRequest(in, out, scheme+"://"+host)
}

// viaSelf is the proxy in the header Via (RFC 9110 §7.6.3).
const viaSelf = "1.1 davd"

// appended returns the values of a list header with one more element.
func appended(values []string, element string) []string {
	if len(values) == 0 {
		return []string{element}
	}
	return []string{strings.Join(values, ", ") + ", " + element}
}

// translateRequest translates the addresses in headers of a request. self is the proxy's
// origin for the client.
func (h *Handler) translateRequest(in, out *http.Request, self string) {
	if in.Header["Destination"] != nil {
		if destination, _, err := h.destination(in); err == nil { // others were refused
			out.Header.Set("Destination", destination)
		}
	}
	for i, value := range out.Header["If"] {
		out.Header["If"][i] = h.conditions(in, value)
	}
	if origin := in.Header["Origin"]; len(origin) == 1 && strings.EqualFold(origin[0], self) {
		out.Header["Origin"] = []string{h.upstreamOrigin()}
	}
	if referer := in.Header["Referer"]; len(referer) == 1 {
		out.Header["Referer"] = []string{h.hrefToUpstream(in, referer[0])}
	}
	switch user := h.Upstream.User; {
	case h.Authenticated:
		delete(out.Header, "Authorization")
		fallthrough
	case out.Header["Authorization"] == nil && user != nil:
		if user != nil {
			password, _ := user.Password()
			out.SetBasicAuth(user.Username(), password)
		}
	}
	if rewritesContent(in.Method) {
		delete(out.Header, "Accept-Encoding") // the proxy has to read the XML
	}
	withoutOwnPreferences(out)
}

// upstreamError returns the answer for a request that the upstream didn't answer.
func (h *Handler) upstreamError(r *http.Request, err error) error {
	var own *status.Error
	var netError net.Error
	var opError *net.OpError
	switch {
	case errors.As(err, &own):
		return err
	case r.Context().Err() != nil:
		return context.Cause(r.Context())
	case errors.Is(err, os.ErrDeadlineExceeded) && errors.As(err, new(*bodyError)):
		return status.New(http.StatusRequestTimeout, "the request body arrived too slowly")
	case errors.As(err, new(*bodyError)):
		return status.New(http.StatusBadRequest, "the request body ended early")
	case errors.Is(err, syscall.ECONNREFUSED):
		return gateway(http.StatusBadGateway, "the upstream refuses connections; is it running?", err)
	case errors.As(err, new(*net.DNSError)):
		return gateway(http.StatusBadGateway, "the upstream's host name can't be resolved", err)
	case errors.As(err, &opError) && opError.Op == "dial":
		return gateway(http.StatusBadGateway, "the upstream can't be reached", err)
	case errors.Is(err, syscall.ETIMEDOUT):
		return gateway(http.StatusBadGateway, "the upstream no longer answers; is it switched off?", err)
	case errors.As(err, &netError) && netError.Timeout():
		return gateway(http.StatusGatewayTimeout, "the upstream did not answer in time; it may still be working on the request", err)
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return gateway(http.StatusBadGateway, "the upstream's certificate is not trusted", err)
	}
	return gateway(http.StatusBadGateway, "the upstream broke off the connection, or sent no valid answer", err)
}

// gateway returns an error whose cause only the log shows.
func gateway(code int, reason string, cause error) error {
	return errors.Join(status.New(code, reason), cause)
}

// withoutOwnPreferences removes the preferences that the proxy fulfils itself. It asks for
// interim responses, which tell the progress.
func withoutOwnPreferences(r *http.Request) {
	var kept []string
	for element := range field.Elements(r.Header["Prefer"]) {
		name, _, _ := strings.Cut(strings.ToLower(element), ";")
		name, _, _ = strings.Cut(name, "=")
		switch strings.TrimSpace(name) {
		case "respond-async", "wait", "processing":
		default:
			kept = append(kept, element)
		}
	}
	if interim.SuccessOf(r.Method) != 0 {
		kept = append(kept, "processing")
	}
	if delete(r.Header, "Prefer"); len(kept) > 0 {
		r.Header["Prefer"] = []string{strings.Join(kept, ", ")}
	}
}

func unescape(escaped string) string {
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return escaped // impossible, because the path was parsed
	}
	return path
}

package proxy_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/proxy"
)

// front is a proxy before an upstream, both with real connections.
type front struct {
	testing.TB
	*proxy.Handler
	server, upstream *httptest.Server

	// gone receives a value when a client disconnects before it is answered.
	gone chan struct{}
}

// often sends interim responses to every client, a hundred a second.
var often = interim.Policy{Mode: interim.Always, After: -1, Every: 10 * time.Millisecond}

// serve starts a proxy with the Prefix /dav before upstream, whose files are below /up.
func serve(tb testing.TB, upstream http.Handler, change func(*proxy.Handler)) *front {
	tb.Helper()
	f := &front{TB: tb, gone: make(chan struct{}, 100), upstream: httptest.NewServer(upstream)}
	tb.Cleanup(f.upstream.Close)
	u, err := url.Parse(f.upstream.URL + "/up/")
	if err != nil {
		tb.Fatal(err)
	}
	f.Handler = &proxy.Handler{Upstream: u, Prefix: "/dav"}
	if change != nil {
		change(f.Handler)
	}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer context.AfterFunc(r.Context(), func() { f.gone <- struct{}{} })()
		f.ServeHTTP(w, r)
	}))
	tb.Cleanup(f.server.Close)
	return f
}

// reply is a final response, with what came before it.
type reply struct {
	*http.Response
	body     string
	interims []textproto.MIMEHeader
}

// try sends a request. fields are headers; {front} in them stands for the proxy's URL.
func (f *front) try(ctx context.Context, method, path, body string, fields ...string) (reply, error) {
	var got reply
	var mu sync.Mutex
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(_ int, header textproto.MIMEHeader) error {
		mu.Lock()
		defer mu.Unlock()
		got.interims = append(got.interims, header)
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, method, f.server.URL+path, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	for _, each := range fields {
		name, value, _ := strings.Cut(strings.ReplaceAll(each, "{front}", f.server.URL), ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Add(name, value)
	}
	transport := &http.Transport{DisableCompression: true, ExpectContinueTimeout: 10 * time.Second}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	if err != nil {
		return got, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	mu.Lock()
	defer mu.Unlock()
	got.Response, got.body = response, string(content)
	return got, err
}

// do is try that must succeed.
func (f *front) do(method, path, body string, fields ...string) reply {
	f.Helper()
	got, err := f.try(f.Context(), method, path, body, fields...)
	if err != nil {
		f.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

// wants is do with the expected status.
func (f *front) wants(status int, method, path, body string, fields ...string) reply {
	f.Helper()
	got := f.do(method, path, body, fields...)
	if got.StatusCode != status {
		f.Fatalf("%s %s %q: %d, want %d\n%s", method, path, fields, got.StatusCode, status, got.body)
	}
	return got
}

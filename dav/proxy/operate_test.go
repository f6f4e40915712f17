package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/dav/proxy"
)

// slow is an upstream whose COPY, MOVE, DELETE, PROPFIND, PUT and MKCOL wait until release
// is called, or their request ends.
type slow struct {
	mu      sync.Mutex
	seen    []string // methods
	ended   []error  // of their contexts
	gate    chan struct{}
	arrived chan string
	status  int
	header  http.Header
	exists  map[string]bool // by path, for PROPFIND with Depth 0
}

func newSlow() *slow {
	return &slow{gate: make(chan struct{}), arrived: make(chan string, 100), status: 201, header: http.Header{}, exists: map[string]bool{}}
}

func (s *slow) release() { close(s.gate) }

func (s *slow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Method == "PROPFIND" && r.Header.Get("Depth") == "0" {
		s.mu.Lock()
		exists := s.exists[r.URL.Path]
		collection := s.exists[r.URL.Path+"/"]
		breaks := s.exists["breaks off"]
		s.mu.Unlock()
		switch {
		case breaks:
			panic(http.ErrAbortHandler)
		case collection:
			w.Header().Set("Location", "http://"+r.Host+r.URL.Path+"/")
			w.WriteHeader(http.StatusMovedPermanently)
			return
		}
		if w.Header().Set("Content-Type", "application/xml"); exists {
			w.WriteHeader(http.StatusMultiStatus)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		return
	}
	s.mu.Lock()
	s.seen = append(s.seen, r.Method)
	gate := s.gate
	s.mu.Unlock()
	s.arrived <- r.Method
	select {
	case <-gate:
	case <-r.Context().Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, r.Context().Err())
	for name, values := range s.header {
		w.Header()[name] = values
	}
	w.Header().Set("X-Got", strconv.Itoa(len(body)))
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, "done\n")
}

func (s *slow) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

// eventually waits until done is true.
func eventually(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatal(what + ": not within a minute")
		}
	}
}

// TestSilent: while the upstream is silent, each method gets interim responses once its
// body has arrived; GET gets none.
func TestSilent(t *testing.T) {
	for _, method := range []string{"COPY", "MOVE", "DELETE", "PROPFIND", "PUT", "MKCOL", "PROPPATCH", "REPORT", "POST"} {
		t.Run(method, func(t *testing.T) {
			s := newSlow()
			f := serve(t, s, func(h *proxy.Handler) { h.Interim = often })
			time.AfterFunc(300*time.Millisecond, s.release)
			body := ""
			if method == "PUT" {
				body = "content"
			}
			got := f.wants(201, method, "/dav/a", body, "Destination: /dav/b", "Depth: 1")
			if len(got.interims) < 2 || got.interims[0].Get("Progress") != "0/" || got.body != "done\n" || got.Header.Get("X-Got") != strconv.Itoa(len(body)) {
				t.Errorf("%d interim responses, then %v %q", len(got.interims), got.Header, got.body)
			}
		})
	}
}

// TestProgress: the progress in the upstream's interim responses goes on to the client.
func TestProgress(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Progress", `3/10 "c/d.txt" 100/500 (bytes)`)
		w.Header().Set("Location", "/.davd-operations/secret")
		w.WriteHeader(http.StatusProcessing)
		w.Header().Del("Location")
		time.Sleep(300 * time.Millisecond)
		w.WriteHeader(http.StatusCreated)
	}), func(h *proxy.Handler) { h.Interim = often })
	for _, method := range []string{"COPY", "PROPFIND"} {
		got := f.wants(201, method, "/dav/a", "", "Destination: /dav/b")
		last := got.interims[len(got.interims)-1]
		if last.Get("Progress") != `3/10 "c/d.txt" 100/500 (bytes)` || last.Get("Location") != "" {
			t.Errorf("%s: %v", method, last)
		}
	}
}

const ann, bob = "Authorization: Basic YW5uOngK", "Authorization: Basic Ym9iOngK"

// TestJoin: identical requests with the same credentials share one request to the upstream.
// Only the first gets its cookies.
func TestJoin(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second []string
		joins         bool
	}{
		{"the same credentials", []string{ann}, []string{ann}, true},
		{"the same cookie", []string{"Cookie: s=1"}, []string{"Cookie: s=1"}, true},
		{"no credentials, one address", nil, nil, true},
		{"another number of a proxy", []string{ann, "Cf-Ray: 1", "X-Amzn-Trace-Id: 2"}, []string{ann, "Cf-Ray: 3"}, true},
		{"another preference", []string{ann}, []string{ann, "Prefer: processing"}, true},
		{"other credentials", []string{ann}, []string{bob}, false},
		{"another cookie", []string{ann, "Cookie: s=1"}, []string{ann, "Cookie: s=2"}, false},
		{"a cookie in addition", []string{ann}, []string{ann, "Cookie: s=2"}, false},
		{"no credentials", []string{ann}, nil, false},
		{"another condition", []string{ann}, []string{ann, "If-Match: x"}, false},
		{"Overwrite", []string{ann}, []string{ann, "Overwrite: F"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSlow()
			s.header.Set("Set-Cookie", "s=3")
			f := serve(t, s, func(h *proxy.Handler) { h.Interim = often })
			var answers [2]reply
			var both sync.WaitGroup
			both.Go(func() { answers[0] = f.do("MOVE", "/dav/a", "", append(c.first, "Destination: /dav/b")...) })
			<-s.arrived
			joined := make(chan struct{})
			both.Go(func() {
				answers[1] = f.do("MOVE", "/dav/a", "", append(c.second, "Destination: {front}/dav/b")...)
				close(joined)
			})
			if !c.joins {
				<-s.arrived
			}
			select {
			case <-joined:
				t.Fatal("the second request was answered before the end of the first")
			case <-time.After(100 * time.Millisecond): // time for a request that should not be sent
			}
			s.release()
			both.Wait()
			want := 2
			if c.joins {
				want = 1
			}
			if got := s.count(); got != want {
				t.Errorf("%d requests reached the upstream, want %d", got, want)
			}
			for i, a := range answers {
				cookie := a.Header.Get("Set-Cookie") != ""
				if a.StatusCode != http.StatusCreated || a.body != "done\n" || cookie != (i == 0 || !c.joins) {
					t.Errorf("answer %d: %d %q, a cookie: %v", i, a.StatusCode, a.body, cookie)
				}
			}
		})
	}
}

// TestKeptAnswer: an answer that the client did not get is kept for its next request, if
// the upstream agrees with it.
func TestKeptAnswer(t *testing.T) {
	for _, c := range []struct {
		name     string
		status   int
		exists   []string // at the next request
		between  func(f *front)
		next     []string
		requests int // to the upstream
	}{
		{name: "kept", status: 201, exists: []string{"/up/b"}, next: []string{ann}, requests: 1},
		{name: "kept, for a collection of Apache", status: 201, exists: []string{"/up/b/"}, next: []string{ann}, requests: 1},
		{name: "the check breaks off", status: 201, exists: []string{"breaks off"}, next: []string{ann}, requests: 2},
		{name: "a 207", status: 207, exists: []string{"/up/b"}, next: []string{ann}, requests: 2},
		{name: "the upstream disagrees", status: 201, exists: []string{"/up/a"}, next: []string{ann}, requests: 2},
		{name: "changed since", status: 201, exists: []string{"/up/b"}, next: []string{ann}, requests: 3, between: func(f *front) {
			f.wants(201, "PUT", "/dav/b/c", "x", ann)
		}},
		{name: "changed by somebody else", status: 201, exists: []string{"/up/b"}, next: []string{bob}, requests: 2},
		{name: "an error", status: 423, exists: []string{"/up/b"}, next: []string{ann}, requests: 2},
		{name: "a 502", status: 502, exists: []string{"/up/b"}, next: []string{ann}, requests: 2},
		{name: "a 504", status: 504, exists: []string{"/up/b"}, next: []string{ann}, requests: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSlow()
			s.status = c.status
			s.header.Set("Set-Cookie", "s=3")
			f := serve(t, s, nil)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-s.arrived; cancel() }()
			if _, err := f.try(ctx, "MOVE", "/dav/a", "", ann, "Destination: /dav/b"); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			<-f.gone
			s.release()
			f.ends("MOVE")
			s.mu.Lock()
			for _, name := range c.exists {
				s.exists[name] = true
			}
			s.status = max(c.status, 201)
			s.mu.Unlock()
			if c.between != nil {
				s.mu.Lock()
				s.status = 201
				s.mu.Unlock()
				c.between(f)
			}
			got := f.do("MOVE", "/dav/a", "", append(c.next, "Destination: /dav/b")...)
			if got.StatusCode != s.status || s.count() != c.requests {
				t.Errorf("%d; %d requests reached the upstream, want %d", got.StatusCode, s.count(), c.requests)
			}
			if c.requests == 1 && got.Header.Get("Set-Cookie") != "" {
				t.Error("a kept answer has a cookie")
			}
		})
	}
}

// ends waits until no operation with the method is running.
func (f *front) ends(method string) {
	f.Helper()
	eventually(f, "the operation ends", func() bool {
		return !slices.ContainsFunc(f.Operations(), func(op operation.Operation) bool { return op.Method == method })
	})
}

// TestDisconnect: a client that disconnects does not end a change on the upstream, but a
// listing.
func TestDisconnect(t *testing.T) {
	for method, goesOn := range map[string]bool{"MOVE": true, "COPY": true, "DELETE": true, "MKCOL": true, "PUT": true, "POST": true, "PROPFIND": false, "REPORT": false, "GET": false} {
		t.Run(method, func(t *testing.T) {
			s := newSlow()
			f := serve(t, s, nil)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-s.arrived; cancel() }()
			if _, err := f.try(ctx, method, "/dav/a", "", "Destination: /dav/b"); err == nil {
				t.Fatal("the client got an answer")
			}
			if !goesOn {
				eventually(t, "the upstream's request ends", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.ended) == 1 })
				return
			}
			<-f.gone
			s.release()
			eventually(t, "the upstream's request ends", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.ended) == 1 })
			if s.ended[0] != nil {
				t.Errorf("the upstream's request ended with %v", s.ended[0])
			}
		})
	}
}

// TestAsync: respond-async gives a 202 with a status document. A stop ends the upstream's
// request, and says that the upstream may go on.
func TestAsync(t *testing.T) {
	s := newSlow()
	f := serve(t, s, nil)
	accepted := f.wants(202, "MOVE", "/dav/a", "", ann, "Destination: /dav/b", "Prefer: respond-async")
	location := accepted.Header.Get("Location")
	document := func(fields ...string) (d operation.Status) {
		got := f.wants(200, "GET", location, "", fields...)
		if err := json.Unmarshal([]byte(got.body), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := document(ann); d.State != "running" || d.Source != "/dav/a" || d.Destination != "/dav/b" || d.Principal != "ann" {
		t.Errorf("%+v", d)
	}
	f.wants(404, "GET", location, "", bob)
	f.wants(404, "DELETE", location, "")
	for who, want := range map[string]int{ann: 1, bob: 0, "X: no credentials": 0} {
		var list operation.StatusList
		if err := json.Unmarshal([]byte(f.wants(200, "GET", "/dav/.davd-operations/", "", who).body), &list); err != nil || len(list.Operations) != want {
			t.Errorf("%s sees %d operations, want %d; %v", who, len(list.Operations), want, err)
		}
	}
	page := f.wants(200, "GET", location, "", ann, "Accept: text/html")
	if !strings.Contains(page.body, "running") || !strings.Contains(page.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%s", page.body)
	}
	f.wants(204, "DELETE", location, "", ann)
	if d := document(ann); d.State != "stopped" || !strings.Contains(d.Reason, "the upstream may") {
		t.Errorf("%+v", d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ended) == 1 && s.ended[0] == nil {
		t.Error("the upstream's request did not end")
	}
}

// TestAsyncEnds: the document has the upstream's status.
func TestAsyncEnds(t *testing.T) {
	s := newSlow()
	s.status = 207
	f := serve(t, s, nil)
	location := f.wants(202, "DELETE", "/dav/a", "", ann, "Prefer: respond-async").Header.Get("Location")
	s.release()
	f.ends("DELETE")
	var d operation.Status
	if err := json.Unmarshal([]byte(f.wants(200, "GET", location, "", ann).body), &d); err != nil || d.State != "finished" || *d.Status != 207 {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestDead: an upstream that doesn't answer gives a 502 or 504 with a reason.
func TestDead(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer closed.Close()
	refusing := closed.Addr().String()
	_ = closed.Close()
	silent := newSlow()
	t.Cleanup(silent.release)
	for _, c := range []struct {
		name, method string
		upstream     http.Handler
		change       func(*proxy.Handler)
		status       int
		reason       string
	}{
		{name: "refuses", change: func(h *proxy.Handler) { h.Upstream = &url.URL{Scheme: "http", Host: refusing, Path: "/up"} }, status: 502, reason: "refuses connections"},
		{name: "unknown host", change: func(h *proxy.Handler) { h.Upstream = &url.URL{Scheme: "http", Host: "none.invalid", Path: "/up"} }, status: 502, reason: "can't be resolved"},
		{name: "another protocol", change: func(h *proxy.Handler) { h.Upstream.Scheme = "https" }, status: 502, reason: "the upstream"},
		{name: "silent", upstream: silent, change: func(h *proxy.Handler) { h.Transport = proxy.NewTransport(50*time.Millisecond, nil) }, status: 504, reason: "may still be working"},
		{name: "breaks off", upstream: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), status: 502, reason: "broke off"},
	} {
		for _, method := range []string{"GET", "PUT", "MOVE", "PROPFIND"} {
			t.Run(c.name+" "+method, func(t *testing.T) {
				if c.upstream == nil {
					c.upstream = echo()
				}
				f := serve(t, c.upstream, c.change)
				got := f.wants(c.status, method, "/dav/a", "", "Destination: /dav/b", "Depth: 1")
				if !strings.Contains(got.body, c.reason) {
					t.Errorf("%q does not say %q", got.body, c.reason)
				}
			})
		}
	}
}

// TestBroken: a client sees that an answer is not complete.
func TestBroken(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}), nil)
	for _, method := range []string{"GET", "PROPFIND", "REPORT"} {
		if got, err := f.try(t.Context(), method, "/dav/a", "", "Depth: 1"); err == nil {
			t.Errorf("%s: %d with %d bytes", method, got.StatusCode, len(got.body))
		}
	}
	if got := f.do("DELETE", "/dav/a", ""); got.StatusCode != http.StatusBadGateway {
		t.Errorf("DELETE: %d", got.StatusCode)
	}
}

// TestContinue: Expect: 100-continue goes end to end, so that an upstream can refuse a body
// before it is sent (RFC 9110 §10.1.1).
func TestContinue(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/up/refused" {
			w.WriteHeader(http.StatusInsufficientStorage)
			return
		}
		_, _ = io.Copy(w, r.Body)
	}), nil)
	if got := f.wants(200, "PUT", "/dav/a", "content", "Expect: 100-continue"); got.body != "content" {
		t.Errorf("%q", got.body)
	}
	f.wants(507, "PUT", "/dav/refused", "content", "Expect: 100-continue")
}

// TestProbeThrough: a probe tests the way to the proxy.
func TestProbeThrough(t *testing.T) {
	f := serve(t, echo(), nil)
	got := f.wants(200, "COPY", "/dav/"+operation.ProbeName+"?seconds=1", "", "Destination: /dav/"+operation.ProbeName, "Prefer: processing", "User-Agent: curl/8")
	var report operation.ProbeReport
	if err := json.Unmarshal([]byte(got.body), &report); err != nil || report.Sent != 12 || len(got.interims) < 5 {
		t.Errorf("%+v, %d interim responses, %v", report, len(got.interims), err)
	}
}

// TestShutdown: Shutdown waits for operations, and refuses new ones.
func TestShutdown(t *testing.T) {
	s := newSlow()
	f := serve(t, s, nil)
	f.wants(202, "MOVE", "/dav/a", "", ann, "Destination: /dav/b", "Prefer: respond-async")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Shutdown(ctx) }()
	eventually(t, "new operations are refused", func() bool {
		return f.do("DELETE", "/dav/c", "", ann).StatusCode == http.StatusServiceUnavailable
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestChallenge: a browser that opens the list or a page without a password is asked for it,
// as the upstream asks.
func TestChallenge(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, _, ok := r.BasicAuth(); !ok || name != "ann" {
			w.Header().Set("Www-Authenticate", `Basic realm="nas"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusMultiStatus)
	}), nil)
	for _, path := range []string{"/dav/.davd-operations/", "/dav/.davd-operations/none"} {
		for _, fields := range [][]string{nil, {bob}} {
			if got := f.wants(401, "GET", path, "", fields...); got.Header.Get("Www-Authenticate") != `Basic realm="nas"` {
				t.Errorf("%v", got.Header)
			}
		}
	}
	f.wants(200, "GET", "/dav/.davd-operations/", "", ann)
	f.wants(404, "GET", "/dav/.davd-operations/none", "", ann)
}

// TestEarlyAnswer: a client that is still sending gets the answer of an upstream that does
// not want the rest.
func TestEarlyAnswer(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 10))
		w.Header().Set("Connection", "close")
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusInsufficientStorage)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // closes the connection
	}), nil)
	conn, err := net.Dial("tcp", f.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PUT /dav/a HTTP/1.1\r\nHost: davd.test\r\nContent-Length: 1000000\r\n\r\n0123456789"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusInsufficientStorage || !response.Close {
		t.Errorf("%v, %v", response, err)
	}
}

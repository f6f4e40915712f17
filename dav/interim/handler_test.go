package interim_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/interim"
)

// always sends an interim response immediately and then one a second.
var always = interim.Policy{Mode: interim.Always, After: -1, Every: time.Second}

// reply is a final response and those before it.
type reply struct {
	interims []*http.Response
	status   int
	header   http.Header
	body     string
	trailer  http.Header
}

func (r *reply) progress() []string {
	var values []string
	for _, each := range r.interims {
		values = append(values, each.Header.Get("Progress"))
	}
	return values
}

// talk sends request to h in virtual time, over a connection in memory. err is about
// reading the response.
func talk(t *testing.T, h http.Handler, request string) (got reply, err error) {
	t.Helper()
	client, serverSide := net.Pipe()
	conns := &oneConn{conn: serverSide, closed: make(chan struct{})}
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(conns) //nolint:errcheck // ends with http.ErrServerClosed
	defer server.Close()
	defer client.Close()
	go io.WriteString(client, strings.ReplaceAll(request, "\n", "\r\n")) //nolint:errcheck // the server may not read all
	method, _, _ := strings.Cut(request, " ")
	in := bufio.NewReader(client)
	for {
		response, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return got, err
		}
		if response.StatusCode < 200 {
			got.interims = append(got.interims, response)
			continue
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		got.status, got.header, got.body, got.trailer = response.StatusCode, response.Header, string(body), response.Trailer
		return got, err
	}
}

// oneConn is a listener for one connection.
type oneConn struct {
	conn   net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if conn := l.conn; conn != nil {
		l.conn = nil
		return conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { close(l.closed); return nil }
func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

const copyRequest = "COPY /src HTTP/1.1\nHost: davd.test\nDestination: /dst\n\n"

// working returns a handler that works for some time and then answers 201 "done".
func working(seconds int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(10 * time.Millisecond)
		for i := range seconds {
			time.Sleep(time.Second)
			interim.CounterOf(r.Context()).Begin(fmt.Sprintf("/src/%d", i))
			interim.CounterOf(r.Context()).Add(1, 10)
		}
		w.Header().Set("Etag", `"x"`)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "done")
	}
}

// TestHandlerRules checks each rule of Policy with a handler that works for 70 s.
func TestHandlerRules(t *testing.T) {
	const neon = "User-Agent: litmus/0.13 neon/0.32.5\n"
	for _, c := range []struct {
		name, request string
		policy        interim.Policy
		methods       []string
		want          int // interim responses
	}{
		{name: "rule 1: COPY", request: "COPY / HTTP/1.1\n" + neon, want: 3},
		{name: "rule 1: POST", request: "POST / HTTP/1.1\nContent-Length: 1\n" + neon + "\nx", want: 3},
		{name: "rule 1: GET", request: "GET / HTTP/1.1\n" + neon},
		{name: "rule 1: GET among Methods", request: "GET / HTTP/1.1\n" + neon, methods: []string{"GET"}, want: 3},
		{name: "rule 1: COPY not among Methods", request: "COPY / HTTP/1.1\n" + neon, methods: []string{"GET"}},
		{name: "rule 2: HTTP/1.0", request: "COPY / HTTP/1.0\n" + neon, policy: interim.Policy{Mode: interim.Always}},
		{name: "rule 2: Via", request: "COPY / HTTP/1.1\nVia: 1.0 a\n" + neon, policy: interim.Policy{Mode: interim.Always}},
		{name: "rule 3: unknown client", request: "COPY / HTTP/1.1\n"},
		{name: "rule 3: a proxy shows", request: "COPY / HTTP/1.1\nVia: 1.1 a\n" + neon},
		{name: "rule 3: never", request: "COPY / HTTP/1.1\nPrefer: processing\n", policy: interim.Policy{Mode: interim.Never}},
		{name: "rule 4: a client that asks", request: "COPY / HTTP/1.1\nPrefer: processing\n", want: 69},
		{name: "rule 4: a client that asks for a PUT", request: "PUT / HTTP/1.1\nPrefer: processing\n", want: 69},
		{name: "rule 4: Every", request: "COPY / HTTP/1.1\n" + neon, policy: interim.Policy{After: 65 * time.Second, Every: time.Second}, want: 5},
		{name: "rule 5: a client's limit", request: "COPY / HTTP/1.1\nUser-Agent: Go-http-client/1.1\n", policy: interim.Policy{Every: time.Second}, want: 4},
		{name: "rule 5: a client that fails", request: "COPY / HTTP/1.1\nUser-Agent: python-requests/2\nPrefer: processing\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &interim.Handler{Next: working(70), Policy: c.policy, Methods: c.methods}
				line, rest, _ := strings.Cut(c.request, "\n")
				if !strings.Contains(rest, "\n\n") {
					rest += "\n"
				}
				got, err := talk(t, h, line+"\nHost: davd.test\n"+rest)
				if err != nil || got.status != http.StatusCreated || got.body != "done" || got.header.Get("Etag") != `"x"` {
					t.Fatalf("%+v, %v", got, err)
				}
				if diff := len(got.interims) - c.want; diff < -1 || diff > 1 || c.want == 0 && diff != 0 {
					t.Errorf("%d interim responses, want %d", len(got.interims), c.want)
				}
			})
		})
	}
}

// TestHandlerTimeout: rule 6, each interim response extends the server's WriteTimeout, and
// the final response has its own.
func TestHandlerTimeout(t *testing.T) {
	server := httptest.NewUnstartedServer(&interim.Handler{Next: working(2), Policy: always})
	server.Config.WriteTimeout = 300 * time.Millisecond
	server.Start()
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), "COPY", server.URL+"/src", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		t.Errorf("status %d", response.StatusCode)
	}
}

// TestHandlerBody: no interim response comes before the body has been read to its end
// (RFC 2518 §10.1), even if the client asks and waits for a 100 (Continue).
func TestHandlerBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, serverSide := net.Pipe()
		conns := &oneConn{conn: serverSide, closed: make(chan struct{})}
		server := &http.Server{Handler: &interim.Handler{Next: working(5), Policy: always}}
		go server.Serve(conns) //nolint:errcheck // ends with http.ErrServerClosed
		defer server.Close()
		defer client.Close()
		in := bufio.NewReader(client)
		_, _ = io.WriteString(client, "PUT /a HTTP/1.1\r\nHost: davd.test\r\nContent-Length: 20\r\nExpect: 100-continue\r\nPrefer: processing\r\n\r\n")
		statusOf := func() int {
			response, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			return response.StatusCode
		}
		if got := statusOf(); got != http.StatusContinue {
			t.Fatalf("the first response is %d", got)
		}
		for range 20 {
			time.Sleep(time.Second)
			if in.Buffered() > 0 {
				t.Fatal("there is a response before the end of the body")
			}
			_, _ = io.WriteString(client, "x")
		}
		seen := []int{}
		for len(seen) == 0 || seen[len(seen)-1] < 200 {
			seen = append(seen, statusOf())
		}
		if len(seen) < 4 || seen[0] != http.StatusProcessing || seen[len(seen)-1] != http.StatusCreated {
			t.Errorf("statuses %d", seen)
		}
	})
}

// TestHandlerKnownLength: a body of known length has been read when its last byte has, even
// if Next looks for no more.
func TestHandlerKnownLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &interim.Handler{Policy: always, Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadFull(r.Body, make([]byte, 3))
			time.Sleep(3500 * time.Millisecond)
		})}
		got, err := talk(t, h, "POST / HTTP/1.1\nHost: davd.test\nContent-Length: 3\n\nabc")
		if err != nil || len(got.interims) != 3 {
			t.Errorf("%d interim responses, %v", len(got.interims), err)
		}
	})
}

// TestHandlerProgress: the header Progress has what the Counter counts, and no total until
// that is known.
func TestHandlerProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &interim.Handler{Policy: always, Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			c := interim.CounterOf(r.Context())
			c.Begin("/p/src")
			time.Sleep(1500 * time.Millisecond)
			c.Begin("/p/src/a b")
			c.Add(3, 100)
			time.Sleep(time.Second)
			c.Total(7, 500)
			time.Sleep(time.Second)
		})}
		got, err := talk(t, h, "COPY /p/src HTTP/1.1\nHost: davd.test\nPrefer: processing\n\n")
		if err != nil || got.status != http.StatusOK {
			t.Fatalf("%+v, %v", got, err)
		}
		want := []string{"0/", "0/", `3/ "a%20b" 100/ (bytes)`, `3/7 "a%20b" 100/500 (bytes)`}
		if !slices.Equal(slices.Compact(got.progress()), slices.Compact(want)) {
			t.Errorf("progress %q, want %q", got.progress(), want)
		}
	})
}

// TestHandlerNext: what a handler may do with its ResponseWriter.
func TestHandlerNext(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	for _, c := range []struct {
		name  string
		next  http.HandlerFunc
		check func(t *testing.T, got reply, err error)
	}{
		{"panics", func(http.ResponseWriter, *http.Request) {
			time.Sleep(3 * time.Second)
			panic(http.ErrAbortHandler)
		}, func(t *testing.T, got reply, err error) {
			if err == nil || len(got.interims) < 3 {
				t.Errorf("%+v, want interim responses and a closed connection", got)
			}
		}},
		{"writes nothing", func(http.ResponseWriter, *http.Request) {}, func(t *testing.T, got reply, err error) {
			if err != nil || got.status != 200 || got.header.Get("Content-Length") != "0" {
				t.Errorf("%+v, %v", got, err)
			}
		}},
		{"writes early, without a flush", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			time.Sleep(5500 * time.Millisecond)
			_, _ = io.WriteString(w, "b")
		}, func(t *testing.T, got reply, err error) {
			if err != nil || got.body != "ab" || len(got.interims) != 6 || got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%d interim responses, %+v, %v", len(got.interims), got, err)
			}
		}},
		{"writes early, with a flush (rule 7)", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			w.(http.Flusher).Flush() //nolint:forcetypeassert // tested
			time.Sleep(5500 * time.Millisecond)
			_, _ = io.WriteString(w, "b")
		}, func(t *testing.T, got reply, err error) {
			if err != nil || got.body != "ab" || len(got.interims) != 1 {
				t.Errorf("%d interim responses, %+v, %v", len(got.interims), got, err)
			}
		}},
		{"writes more than is held", func(w http.ResponseWriter, _ *http.Request) {
			n, err := io.Copy(w, strings.NewReader(long))
			if int(n) != len(long) || err != nil {
				panic(err)
			}
		}, func(t *testing.T, got reply, err error) {
			if err != nil || got.body != long {
				t.Errorf("%d bytes, %v", len(got.body), err)
			}
		}},
		{"hijacks", func(w http.ResponseWriter, _ *http.Request) {
			_, _, err := http.NewResponseController(w).Hijack()
			if !errors.Is(err, errors.ErrUnsupported) {
				panic(err)
			}
			_, _ = io.WriteString(w, err.Error())
		}, func(t *testing.T, got reply, err error) {
			if err != nil || !strings.Contains(got.body, "can't be hijacked") {
				t.Errorf("%+v, %v", got, err)
			}
		}},
		{"sends its own 103", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			time.Sleep(1500 * time.Millisecond)
			w.WriteHeader(http.StatusTeapot)
		}, func(t *testing.T, got reply, err error) {
			if err != nil || got.status != http.StatusTeapot || got.header.Get("Link") == "" {
				t.Fatalf("%+v, %v", got, err)
			}
			var seen []int
			for _, each := range got.interims {
				seen = append(seen, each.StatusCode)
				if link := each.Header.Get("Link"); (link != "") != (each.StatusCode == http.StatusEarlyHints) {
					t.Errorf("a %d has Link %q", each.StatusCode, link)
				}
			}
			if !slices.Equal(seen, []int{102, 103, 102}) {
				t.Errorf("interim responses %d", seen)
			}
		}},
		{"sends trailers", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "Sum")
			_, _ = io.WriteString(w, "a")
			w.(http.Flusher).Flush() //nolint:forcetypeassert // tested
			w.Header().Set("Sum", "1")
		}, func(t *testing.T, got reply, err error) {
			if err != nil || got.trailer.Get("Sum") != "1" {
				t.Errorf("%+v, %v", got, err)
			}
		}},
		{"sends trailers and is held", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "a")
			w.Header().Set(http.TrailerPrefix+"Sum", "1")
		}, func(t *testing.T, got reply, err error) {
			if err != nil || got.trailer.Get("Sum") != "1" {
				t.Errorf("%+v, %v", got, err)
			}
		}},
		{"changes its header too late", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Early", "1")
			w.WriteHeader(http.StatusAccepted)
			w.Header().Set("X-Early", "2")
			w.Header().Set("X-Late", "1")
		}, func(t *testing.T, got reply, err error) {
			if err != nil || got.status != http.StatusAccepted || got.header.Get("X-Early") != "1" || got.header["X-Late"] != nil {
				t.Errorf("%+v, %v", got, err)
			}
		}},
		{"answers without content", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		}, func(t *testing.T, got reply, err error) {
			if err != nil || got.status != http.StatusNoContent || got.header["Content-Length"] != nil {
				t.Errorf("%+v, %v", got, err)
			}
		}},
		{"sets deadlines", func(w http.ResponseWriter, _ *http.Request) {
			control := http.NewResponseController(w)
			past := time.Now().Add(2500 * time.Millisecond)
			if err := errors.Join(control.SetReadDeadline(past), control.SetWriteDeadline(past), control.EnableFullDuplex()); err != nil {
				panic(err)
			}
			time.Sleep(4 * time.Second)
		}, func(t *testing.T, got reply, err error) {
			if err == nil || len(got.interims) != 3 {
				t.Errorf("%d interim responses, %v; want 3 and a write that fails", len(got.interims), err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := talk(t, &interim.Handler{Next: c.next, Policy: always}, copyRequest)
				c.check(t, got, err)
			})
		})
	}
}

// TestHandlerDisconnect: the context of the request ends with its client, and Next can go
// on without it.
func TestHandlerDisconnect(t *testing.T) {
	ended := make(chan error, 1)
	server := httptest.NewServer(&interim.Handler{Policy: always, Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		_, err := io.WriteString(w, "too late")
		ended <- err
	})})
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	seen := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error {
		cancel()
		return nil
	}})
	request, err := http.NewRequestWithContext(seen, "COPY", server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
		t.Error("the client got an answer")
	}
	if err := <-ended; err != nil {
		t.Errorf("a held answer: %v", err)
	}
}

// TestHandlerHTTP2 checks interim responses, the final response and its trailers with the
// HTTP/2 of net/http.
func TestHandlerHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(&interim.Handler{Policy: always, Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "Sum")
		w.WriteHeader(http.StatusProcessing)
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(body)
		w.(http.Flusher).Flush() //nolint:forcetypeassert // tested
		w.Header().Set("Sum", "1")
	})})
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	interims := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(status int, header textproto.MIMEHeader) error {
		if interims++; status != http.StatusProcessing || header.Get("Connection") != "" {
			t.Errorf("%d with %v", status, header)
		}
		return nil
	}})
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, server.URL, strings.NewReader("content"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "content" || response.ProtoMajor != 2 || response.Trailer.Get("Sum") != "1" || interims == 0 {
		t.Errorf("%s %q, trailer %v, %d interim responses, %v", response.Proto, body, response.Trailer, interims, err)
	}
}

// TestCountXNet: with Count, x/net's handler reports a growing Progress.
func TestCountXNet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := webdav.NewMemFS()
		ctx := t.Context()
		if err := fs.Mkdir(ctx, "/src", 0o777); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			f, err := fs.OpenFile(ctx, fmt.Sprintf("/src/%d", i), os.O_CREATE|os.O_RDWR, 0o666)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(f, "content")
			_ = f.Close()
		}
		h := &interim.Handler{Policy: always, Next: &webdav.Handler{
			Prefix: "/dav", FileSystem: interim.Count(&slowFS{fs}), LockSystem: webdav.NewMemLS(),
		}}
		const host = "Host: davd.test\nPrefer: processing\n"
		for _, c := range []struct{ name, request, last string }{
			{"COPY", "COPY /dav/src HTTP/1.1\nDestination: /dav/dst\n" + host + "\n", `10/ "`},
			{"PROPFIND", "PROPFIND /dav/src HTTP/1.1\nDepth: 1\n" + host + "\n", `10/ "`},
			{"PUT", "PUT /dav/new HTTP/1.1\nContent-Length: 3\n" + host + "\nabc", "0/ 3/ (bytes)"},
			{"MOVE", "MOVE /dav/src HTTP/1.1\nDestination: /dav/moved\n" + host + "\n", ""},
			{"DELETE", "DELETE /dav/moved HTTP/1.1\n" + host + "\n", ""},
		} {
			got, err := talk(t, h, c.request)
			progress := got.progress()
			if err != nil || got.status >= 300 || len(progress) == 0 {
				t.Fatalf("%s: %+v, %v", c.name, got, err)
			}
			if !strings.HasPrefix(progress[len(progress)-1], c.last) {
				t.Errorf("%s: progress %q, want %s at last", c.name, progress, c.last)
			}
		}
	})
}

// slowFS takes a second to open a file, and to create one.
type slowFS struct{ webdav.FileSystem }

func (s *slowFS) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	time.Sleep(time.Second + 10*time.Millisecond)
	f, err := s.FileSystem.OpenFile(ctx, name, flag, perm)
	if err == nil && flag&os.O_CREATE != 0 {
		f = &slowFile{f}
	}
	return f, err
}

// slowFile takes two seconds to close.
type slowFile struct{ webdav.File }

func (s *slowFile) Close() error {
	time.Sleep(2 * time.Second)
	return s.File.Close()
}

func (s *slowFS) Stat(ctx context.Context, name string) (os.FileInfo, error) {
	return s.FileSystem.Stat(ctx, name)
}

func (s *slowFS) Rename(ctx context.Context, oldName, newName string) error {
	time.Sleep(2 * time.Second)
	return s.FileSystem.Rename(ctx, oldName, newName)
}

func (s *slowFS) RemoveAll(ctx context.Context, name string) error {
	time.Sleep(2 * time.Second)
	return s.FileSystem.RemoveAll(ctx, name)
}

// TestCountKeeps: Count keeps what x/net's files offer, and doesn't decorate those of other
// requests.
func TestCountKeeps(t *testing.T) {
	dir := webdav.Dir(t.TempDir())
	mem := webdav.NewMemFS()
	h := &interim.Handler{Policy: always, Methods: []string{"POST"}, Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		counted := interim.CounterOf(r.Context()) != nil
		inDir, err1 := interim.Count(dir).OpenFile(r.Context(), "/a", os.O_CREATE|os.O_RDWR, 0o666)
		inMem, err2 := interim.Count(mem).OpenFile(r.Context(), "/a", os.O_CREATE|os.O_RDWR, 0o666)
		if err := errors.Join(err1, err2); err != nil {
			t.Error(err)
			return
		}
		defer inDir.Close()
		defer inMem.Close()
		_, plain := inDir.(*os.File)
		_, from := inDir.(io.ReaderFrom)
		_, noProps := inDir.(webdav.DeadPropsHolder)
		_, props := inMem.(webdav.DeadPropsHolder)
		if plain == counted || !from || noProps || !props {
			t.Errorf("%s: os.File %v, ReaderFrom %v, DeadPropsHolder %v and %v", r.Method, plain, from, noProps, props)
		}
	})}
	for _, method := range []string{"GET", "POST"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, "/", http.NoBody))
	}
}

// TestCountCopies: a copy between two counted files lets the system copy, and counts.
func TestCountCopies(t *testing.T) {
	dir := webdav.Dir(t.TempDir())
	content := strings.Repeat("x", 20<<20)
	if err := os.WriteFile(string(dir)+"/src", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &interim.Handler{Policy: always, Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fs := interim.Count(dir)
		src, err1 := fs.OpenFile(r.Context(), "/src", os.O_RDONLY, 0)
		dst, err2 := fs.OpenFile(r.Context(), "/dst", os.O_CREATE|os.O_RDWR, 0o666)
		if err := errors.Join(err1, err2); err != nil {
			t.Error(err)
			return
		}
		n, err := io.Copy(dst, src)
		if err := errors.Join(err, src.Close(), dst.Close()); err != nil {
			t.Error(err)
		}
		c := interim.CounterOf(r.Context())
		if p := c.Snapshot(); n != 20<<20 || p.Bytes != n || p.Done != 1 {
			t.Errorf("%d bytes copied, progress %+v", n, p)
		}
	})}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "COPY", "/src", http.NoBody))
	if got, err := os.ReadFile(string(dir) + "/dst"); err != nil || string(got) != content {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestHandlerGET: a GET costs nothing more, and gets the ResponseWriter itself, so that
// files are sent as without a Handler.
func TestHandlerGET(t *testing.T) {
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	next := http.HandlerFunc(func(got http.ResponseWriter, _ *http.Request) {
		if got != http.ResponseWriter(w) {
			t.Errorf("a %T", got)
		}
	})
	h := &interim.Handler{Next: next}
	if cost := testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }) - testing.AllocsPerRun(100, func() { next.ServeHTTP(w, r) }); cost > 0 {
		t.Errorf("%v allocations more", cost)
	}
}

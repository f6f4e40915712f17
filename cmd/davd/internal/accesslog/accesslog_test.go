package accesslog_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
)

// served is a server whose requests are recorded.
type served struct {
	*httptest.Server
	records chan accesslog.Record
}

// serve starts a server for next. around, if not nil, wraps the access log.
func serve(t *testing.T, next http.HandlerFunc, around func(http.Handler) http.Handler) *served {
	t.Helper()
	s := &served{records: make(chan accesslog.Record, 10)}
	var handler http.Handler = &accesslog.Handler{
		Next: next,
		Done: func(_ *http.Request, r accesslog.Record) { s.records <- r },
	}
	if around != nil {
		handler = around(handler)
	}
	s.Server = httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *served) do(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (s *served) request(t *testing.T, method, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// readerFromWriter records whether ReadFrom was called, where net/http uses sendfile.
type readerFromWriter struct {
	http.ResponseWriter
	copied *int64
}

func (w readerFromWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w readerFromWriter) ReadFrom(src io.Reader) (int64, error) {
	below, ok := w.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	n, err := below.ReadFrom(src)
	*w.copied += n
	return n, err
}

func TestSendfileAndInterim(t *testing.T) {
	const size = 1 << 20
	name := filepath.Join(t.TempDir(), "file.bin")
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	var copied int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusProcessing)
		w.WriteHeader(http.StatusProcessing)
		http.ServeFile(w, r, name)
	}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(readerFromWriter{w, &copied}, r)
		})
	})

	var interim []int
	req := s.request(t, http.MethodGet, "/file.bin")
	req.Header.Set("Range", "bytes=1-")
	resp := s.do(t, req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			interim = append(interim, code)
			return nil
		},
	})))
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(interim) != 2 || resp.StatusCode != http.StatusPartialContent || len(body) != size-1 {
		t.Errorf("the client got %v, %d and %d bytes", interim, resp.StatusCode, len(body))
	}
	record := <-s.records
	if record.Status != http.StatusPartialContent || record.Interim != 2 || record.BytesOut != size-1 {
		t.Errorf("recorded %+v", record)
	}
	if copied != size-1 {
		t.Errorf("%d bytes came by ReadFrom", copied)
	}
}

func TestFlushAndDeadlines(t *testing.T) {
	flushed := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_, _ = io.WriteString(w, "first")
		if err := errors.Join(control.SetWriteDeadline(time.Time{}), control.Flush()); err != nil {
			accesslog.Report(r, err)
		}
		<-flushed
		_, _ = io.WriteString(w, " second")
	}, nil)
	resp := s.do(t, s.request(t, http.MethodGet, "/"))
	first := make([]byte, len("first"))
	if _, err := io.ReadFull(resp.Body, first); err != nil {
		t.Fatal(err)
	}
	close(flushed)
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	if record := <-s.records; record.Status != http.StatusOK || record.BytesOut != 12 || record.Err != nil {
		t.Errorf("recorded %+v", record)
	}
}

func TestRecord(t *testing.T) {
	refused := errors.New("refused")
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusConflict)
		accesslog.Report(r, refused)
		accesslog.Report(r, nil)
		accesslog.Identify(r, "ann")
	}, nil)
	for _, tt := range []struct{ method, field, want string }{
		{"COPY", "http://user:secret@host/b%20c/", "/b c/"},
		{"MOVE", "/b", "/b"},
		{"MOVE", "%zz", "%zz"},
		{"MOVE", "http://user:secret@host/a #1.docx", "/a #1.docx"},
		{"MOVE", "http://user:secret@host/a?b", "/a?b"},
		{"MOVE", "http://user:secret@host/100%", "/100%"},
		{"MOVE", "http://user:secret@host", "/"},
		{"MOVE", "//user:secret@host/b", "/b"},
		{"MOVE", "http://host/b//c", "/b//c"},
		{"MOVE", "/b//c", "/b//c"},
		{"DELETE", "/b", ""},
	} {
		req := s.request(t, tt.method, "/a%20b")
		req.Header.Set("Destination", tt.field)
		req.Header.Set("User-Agent", "tester/1")
		s.do(t, req)
		record := <-s.records
		if record.Destination != tt.want {
			t.Errorf("%s to %s: the destination is %q, want %q", tt.method, tt.field, record.Destination, tt.want)
		}
		if record.Method != tt.method || record.Path != "/a b" || record.Status != http.StatusConflict ||
			record.User != "ann" || !errors.Is(record.Err, refused) {
			t.Errorf("recorded %+v", record)
		}
	}
}

func TestPanic(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil)
	resp, err := s.Client().Do(s.request(t, http.MethodGet, "/"))
	if err == nil {
		resp.Body.Close()
		t.Errorf("the client got %d", resp.StatusCode)
	}
	if record := <-s.records; record.Err == nil || record.Status != 0 {
		t.Errorf("recorded %+v, want an error and no status", record)
	}
}

// TestContext checks that the context that Next gets has the values of net/http's context,
// and ends when the client disconnects.
func TestContext(t *testing.T) {
	ended := make(chan error, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if _, ok := r.Context().Value(http.ServerContextKey).(*http.Server); !ok {
			t.Error("the server is not in the context")
		}
		child, cancel := context.WithCancel(r.Context())
		defer cancel()
		<-child.Done()
		ended <- context.Cause(r.Context())
	}, nil)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: davd.test\r\n\r\n"); err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended by %v", err)
	}
}

// TestBytesIn checks that the bytes of the request's body are counted that were read.
func TestBytesIn(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 5)
		accesslog.InShare(r, "/docs")
		accesslog.InOperation(r, "x")
	}, nil)
	req := s.request(t, http.MethodPut, "/a")
	req.Body = io.NopCloser(strings.NewReader("content"))
	req.SetBasicAuth("ann", "secret")
	s.do(t, req)
	if record := <-s.records; record.BytesIn != 5 || !record.NamesUser || record.Share != "/docs" || record.Operation != "x" {
		t.Errorf("recorded %+v", record)
	}
}

func TestRemote(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::1", "[fe80::1%eth0]:80": "fe80::1",
		"[::ffff:192.0.2.1]:80": "192.0.2.1", "@": "unix", "": "unix",
	} {
		if got := accesslog.Remote(&http.Request{RemoteAddr: addr}); got != want {
			t.Errorf("%q is %q, want %q", addr, got, want)
		}
	}
}

func TestReportOutside(_ *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	accesslog.Report(r, errors.New("nowhere to go"))
	accesslog.Identify(r, "nobody")
}

func TestToSlog(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	done := accesslog.To(log)
	r := httptest.NewRequestWithContext(context.Background(), "COPY", "/a", http.NoBody)
	r.RemoteAddr = "@"
	done(r, accesslog.Record{Method: "GET", Path: "/a\nb", Status: 200, BytesIn: 7, BytesOut: 5, Duration: 1500 * time.Microsecond, Share: "/docs", Operation: "x"})
	r.Header.Set("User-Agent", "curl/8")
	done(r, accesslog.Record{Method: "GET", Path: "/", Status: 401})
	done(r, accesslog.Record{Method: "GET", Path: "/", Status: 401, NamesUser: true})
	r.RemoteAddr = "127.0.0.1:1234"
	done(r, accesslog.Record{
		Method: "COPY", Path: "/a", Destination: "/b", Status: 503, Interim: 3,
		Duration: time.Second, User: "ann", Err: errors.New("no room"),
	})
	want := `level=INFO msg=request method=GET path="/a\nb" status=200 bytes_in=7 bytes_out=5 duration_s=0.0015 remote=unix share=/docs operation=x user_agent=""
level=INFO msg=request method=GET path=/ status=401 bytes_out=0 duration_s=0 remote=unix user_agent=curl/8
level=WARN msg=request method=GET path=/ status=401 bytes_out=0 duration_s=0 remote=unix user_agent=curl/8
level=ERROR msg=request method=COPY path=/a destination=/b status=503 bytes_out=0 duration_s=1 interim=3 remote=127.0.0.1 user=ann user_agent=curl/8 err="no room"
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestToSlogQuiet checks that nothing is written if the level of the log is too high.
func TestToSlogQuiet(t *testing.T) {
	var out bytes.Buffer
	done := accesslog.To(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})))
	done(httptest.NewRequest(http.MethodGet, "/", http.NoBody), accesslog.Record{Method: "GET", Status: 499})
	if out.Len() != 0 {
		t.Errorf("got %q", out.String())
	}
}

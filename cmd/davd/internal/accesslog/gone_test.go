package accesslog_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
)

// leave sends a request, and closes the connection when begun is closed. With reset, it
// resets the connection.
func (s *served) leave(t *testing.T, request string, begun <-chan struct{}, reset bool) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Error(err)
	}
	<-begun
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// TestClientGone checks that a request that was given up because its client has
// disconnected is not recorded as a failure of the server.
func TestClientGone(t *testing.T) {
	gone := func(r *http.Request) error {
		<-r.Context().Done()
		return context.Cause(r.Context())
	}
	for name, c := range map[string]struct {
		answer func(r *http.Request) (int, error)
		want   int
	}{
		"given up":                     {func(r *http.Request) (int, error) { return 503, gone(r) }, accesslog.StatusClientGone},
		"carried out":                  {func(r *http.Request) (int, error) { _ = gone(r); return 204, nil }, 204},
		"stopped with the server":      {func(r *http.Request) (int, error) { _ = gone(r); return 503, dav.ErrShutdown }, 503},
		"refused for another reason":   {func(r *http.Request) (int, error) { _ = gone(r); return 507, nil }, 507},
		"refused while the client was": {func(*http.Request) (int, error) { return 503, nil }, 503},
	} {
		t.Run(name, func(t *testing.T) {
			begun := make(chan struct{})
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if name != "refused while the client was" {
					close(begun)
				}
				status, err := c.answer(r)
				accesslog.Report(r, err)
				w.WriteHeader(status)
				if name == "refused while the client was" {
					close(begun)
				}
			}, nil)
			s.leave(t, "GET / HTTP/1.1\r\nHost: davd.test\r\n\r\n", begun, true)
			if record := <-s.records; record.Status != c.want {
				t.Errorf("recorded %d, want %d: %+v", record.Status, c.want, record)
			}
		})
	}
}

// begins is a storage that reports its first call.
type begins struct {
	storage.FS
	begun chan struct{}
}

func (b *begins) wait(ctx context.Context) error {
	select {
	case b.begun <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return ctx.Err()
}

func (b *begins) Stat(ctx context.Context, _ string) (fs.FileInfo, error) {
	return nil, b.wait(ctx)
}

func (b *begins) OpenFile(ctx context.Context, _ string, _ int, _ fs.FileMode) (webdav.File, error) {
	return nil, b.wait(ctx)
}

// body returns the end of a request, with a body if the method needs one.
func body(method string) string {
	content := map[string]string{
		"PUT":  "x",
		"LOCK": `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>`,
	}[method]
	return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(content), content)
}

// TestClientGoneFromHandler checks that the answer of a dav.Handler to a closed or reset
// connection is not recorded as a 503.
func TestClientGoneFromHandler(t *testing.T) {
	for _, method := range []string{"PROPFIND", "GET", "PUT", "LOCK", "MKCOL"} {
		for _, reset := range []bool{true, false} {
			t.Run(method, func(t *testing.T) {
				fsys := &begins{FS: webdav.NewMemFS(), begun: make(chan struct{}, 1)}
				h := &dav.Handler{FileSystem: fsys, Logger: accesslog.Report}
				s := serve(t, h.ServeHTTP, nil)
				s.leave(t, method+" /f HTTP/1.1\r\nHost: davd.test\r\nDepth: 0\r\n"+body(method), fsys.begun, reset)
				select {
				case record := <-s.records:
					if record.Status != accesslog.StatusClientGone {
						t.Errorf("recorded %+v", record)
					}
				case <-time.After(2 * time.Minute):
					t.Fatal("no record")
				}
			})
		}
	}
}

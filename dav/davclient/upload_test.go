package davclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/davclient"
)

// breaker is a proxy that breaks connections once they have sent some bytes and the server has said
// something.
type breaker struct {
	net.Listener
	to     string
	after  int64
	breaks atomic.Int64 // how often it still does so
	broken atomic.Int64
}

func newBreaker(t *testing.T, to string, after, breaks int64) *breaker {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &breaker{Listener: listener, to: strings.TrimPrefix(to, "http://"), after: after}
	b.breaks.Store(breaks)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go b.forward(conn)
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	return b
}

func (b *breaker) forward(client net.Conn) {
	server, err := net.Dial("tcp", b.to)
	if err != nil {
		_ = client.Close()
		return
	}
	defer client.Close()
	defer server.Close()
	answered := make(chan struct{})
	go func() {
		first := make([]byte, 4096)
		n, err := server.Read(first)
		if err == nil {
			_, _ = client.Write(first[:n])
			close(answered)
			_, _ = io.Copy(client, server)
		}
		_ = client.Close()
		_ = server.Close()
	}()
	n, _ := io.CopyN(server, client, b.after)
	if n == b.after && b.breaks.Add(-1) >= 0 {
		<-answered
		b.broken.Add(1)
		return
	}
	_, _ = io.Copy(server, client)
}

func (b *breaker) client(t *testing.T) *davclient.Client {
	t.Helper()
	c, err := davclient.New("http://" + b.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestUpload breaks the connection ten times. The file has the right content in the end.
func TestUpload(t *testing.T) {
	content := make([]byte, 12*200_000)
	random := rand.NewChaCha8([32]byte{2})
	_, _ = random.Read(content)
	fsys := webdav.NewMemFS()
	server := httptest.NewServer(&dav.Handler{FileSystem: fsys, LockSystem: webdav.NewMemLS()})
	defer server.Close()
	b := newBreaker(t, server.URL, 200_000, 10)
	var last int64
	created, err := b.client(t).Upload(t.Context(), "/file", bytes.NewReader(content), davclient.UploadOptions{
		PutOptions: davclient.PutOptions{Size: int64(len(content)), Conditions: davclient.Conditions{IfNoneMatch: "*"}},
		Pause:      time.Millisecond, Attempts: 30,
		Progress: func(sent int64) { last = sent },
	})
	if err != nil || !created || last != int64(len(content)) {
		t.Errorf("created %t, %v; %d bytes were sent", created, err, last)
	}
	if n := b.broken.Load(); n != 10 {
		t.Errorf("the connection broke %d times", n)
	}
	file, err := fsys.OpenFile(t.Context(), "/file", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file has %d bytes, %v", len(got), err)
	}
}

// TestUploadCancelled checks that nothing is left when the caller gives up.
func TestUploadCancelled(t *testing.T) {
	fsys := webdav.NewMemFS()
	server := httptest.NewServer(&dav.Handler{FileSystem: fsys, LockSystem: webdav.NewMemLS()})
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := newBreaker(t, server.URL, 200_000, 1000)
	_, err := b.client(t).Upload(ctx, "/file", bytes.NewReader(make([]byte, 10<<20)), davclient.UploadOptions{
		PutOptions: davclient.PutOptions{Size: 10 << 20}, Pause: time.Millisecond,
		Progress: func(int64) {
			if b.broken.Load() > 2 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	root, err := fsys.OpenFile(t.Context(), "/", os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if left, err := root.Readdir(-1); err != nil || len(left) > 0 {
		t.Errorf("the server has %v, %v", left, err)
	}
}

// TestUploadGivesUp uses a server that refuses everything after the first break.
func TestUploadGivesUp(t *testing.T) {
	for status, want := range map[int]int{http.StatusNotFound: 1, http.StatusBadGateway: 5} {
		var heads int
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.Method {
			case http.MethodOptions:
				w.Header().Set("Accept-Patch", "text/plain, application/partial-upload")
			case http.MethodPut:
				w.Header().Set("Location", "/upload")
				w.WriteHeader(http.StatusCreated)
			case http.MethodHead:
				heads++
				w.WriteHeader(status)
			default:
				panic(http.ErrAbortHandler)
			}
		}))
		at, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		c := &davclient.Client{Base: at}
		_, err = c.Upload(t.Context(), "/file", bytes.NewReader(make([]byte, 4<<20)), davclient.UploadOptions{
			PutOptions: davclient.PutOptions{Size: 4 << 20}, Pause: time.Millisecond, Attempts: 5,
		})
		if err == nil || heads != want {
			t.Errorf("status %d: %d requests, %v", status, heads, err)
		}
		server.Close()
	}
}

// TestUploadElsewhere uses a server that knows no uploads in parts.
func TestUploadElsewhere(t *testing.T) {
	fsys := webdav.NewMemFS()
	server := httptest.NewServer(&webdav.Handler{FileSystem: fsys, LockSystem: webdav.NewMemLS()})
	defer server.Close()
	c, err := davclient.New(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if created, err := c.Upload(t.Context(), "/file", strings.NewReader("content"), davclient.UploadOptions{PutOptions: davclient.PutOptions{Size: 7}}); err != nil || !created {
		t.Errorf("created %t, %v", created, err)
	}
	if info, err := fsys.Stat(t.Context(), "/file"); err != nil || info.Size() != 7 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestUploadSmallParts uploads through a proxy that accepts small requests only.
func TestUploadSmallParts(t *testing.T) {
	content := make([]byte, 5<<20+1)
	_, _ = rand.NewChaCha8([32]byte{3}).Read(content)
	for name, refuse := range map[string]func(w http.ResponseWriter){
		"413 (RFC 9110 §15.5.14)":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestEntityTooLarge) },
		"the connection is closed": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			fsys := webdav.NewMemFS()
			h := &dav.Handler{FileSystem: fsys, LockSystem: webdav.NewMemLS()}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.ContentLength > 1<<20 {
					refuse(w)
					return
				}
				h.ServeHTTP(w, r)
			}))
			defer server.Close()
			client, err := davclient.New(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			created, err := client.Upload(t.Context(), "/file", bytes.NewReader(content), davclient.UploadOptions{
				PutOptions: davclient.PutOptions{Size: int64(len(content))}, Pause: time.Millisecond,
			})
			if err != nil || !created {
				t.Fatalf("created %t, %v", created, err)
			}
			f, err := fsys.OpenFile(t.Context(), "/file", os.O_RDONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, content) {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
}

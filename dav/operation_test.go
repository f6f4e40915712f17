package dav_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/storagetest"
)

// client has sent a request whose operation is running.
type client struct {
	net.Conn
	// ended receives the error of the operation.
	ended <-chan error
	// gone is closed when the server has noticed that the client disconnected.
	gone <-chan struct{}
}

// inOperation starts a server on g and a client, and waits until g holds the client's
// operation.
func inOperation(t *testing.T, h *dav.Handler, g *gate, request string) client {
	t.Helper()
	ended, requests := make(chan error, 1), make(chan *http.Request, 1)
	h.FileSystem = g
	h.Logger = func(r *http.Request, err error) {
		if strings.HasPrefix(request, r.Method+" ") {
			ended <- err
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(g.open) // before the server waits for it
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	g.close()
	if _, err := io.WriteString(conn, request+"Host: davd.test\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-g.waiting
	return client{Conn: conn, ended: ended, gone: (<-requests).Context().Done()}
}

// TestClientGoes checks that a COPY, MOVE or DELETE continues if its client
// disconnects, and that a PROPFIND stops.
func TestClientGoes(t *testing.T) {
	for _, c := range []struct {
		request     string
		goesOn      bool
		gone, comes string
	}{
		{request: "COPY /src/ HTTP/1.1\r\nDestination: /dst\r\n", goesOn: true, comes: "/dst/c/b.txt"},
		{request: "MOVE /src/ HTTP/1.1\r\nDestination: /dst\r\n", goesOn: true, comes: "/dst/c/b.txt", gone: "/src"},
		{request: "DELETE /src/ HTTP/1.1\r\n", goesOn: true, gone: "/src"},
		{request: "PROPFIND /src/ HTTP/1.1\r\nDepth: infinity\r\n"},
	} {
		t.Run(c.request, func(t *testing.T) {
			fsys := plant(t)
			g := newGate(fsys)
			client := inOperation(t, &dav.Handler{}, g, c.request)
			client.Close()
			<-client.gone
			if !c.goesOn {
				// The operation ends although the gate stays closed.
				if err := <-client.ended; !errors.Is(err, context.Canceled) {
					t.Fatalf("ended with %v", err)
				}
				return
			}
			g.open()
			if err := <-client.ended; err != nil {
				t.Fatal(err)
			}
			if c.comes != "" && !exists(t, fsys, c.comes) {
				t.Error(c.comes, "is missing")
			}
			if c.gone != "" && exists(t, fsys, c.gone) {
				t.Error(c.gone, "is still there")
			}
		})
	}
}

// TestClientGoesCancels checks that with CancelWhenGone these operations stop and leave
// nothing behind.
func TestClientGoesCancels(t *testing.T) {
	for _, request := range []string{
		"COPY /src/ HTTP/1.1\r\nDestination: /dst\r\n",
		"DELETE /src/ HTTP/1.1\r\n",
	} {
		t.Run(request, func(t *testing.T) {
			fsys := plant(t)
			before := storagetest.ReadTree(t, fsys, "/")
			g := newGate(fsys)
			client := inOperation(t, &dav.Handler{CancelWhenGone: true}, g, request)
			client.Close()
			<-client.gone
			if err := <-client.ended; !errors.Is(err, context.Canceled) {
				t.Fatalf("ended with %v", err)
			}
			if after := storagetest.ReadTree(t, fsys, "/"); !maps.Equal(after, before) {
				t.Errorf("the storage holds %v, want %v", after, before)
			}
		})
	}
}

// TestOperations checks that an operation is listed while it runs.
func TestOperations(t *testing.T) {
	h := &dav.Handler{}
	g := newGate(plant(t))
	client := inOperation(t, h, g, "COPY /src/ HTTP/1.1\r\nDestination: /dst\r\n")
	list := h.Operations()
	if len(list) != 1 {
		t.Fatalf("%d operations", len(list))
	}
	if op := list[0]; op.Method != "COPY" || op.Source != "/src" || op.Destination != "/dst" || op.Started.IsZero() || op.Progress.Known == 0 {
		t.Errorf("%+v", op)
	}
	g.open()
	if err := <-client.ended; err != nil {
		t.Fatal(err)
	}
	if list := h.Operations(); len(list) != 0 {
		t.Errorf("%d operations afterwards", len(list))
	}
}

// TestShutdownStops checks that an operation still running after the grace period is
// rolled back and answered with 503, and that no new one can start.
func TestShutdownStops(t *testing.T) {
	fsys := plant(t)
	if err := fsys.Mkdir(t.Context(), "/dst", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, fsys, "/dst/old.txt", "old")
	h, g := &dav.Handler{}, newGate(fsys)
	client := inOperation(t, h, g, "COPY /src/ HTTP/1.1\r\nDestination: /dst\r\n")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Shutdown(over); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-client.ended; !errors.Is(err, dav.ErrShutdown) {
		t.Errorf("the operation ended with %v", err)
	}
	answer := make([]byte, len("HTTP/1.1 503"))
	if _, err := io.ReadFull(client, answer); err != nil || string(answer) != "HTTP/1.1 503" {
		t.Errorf("answer %q, %v", answer, err)
	}
	g.open()
	if !exists(t, fsys, "/dst/old.txt") || exists(t, fsys, "/dst/a.txt") {
		t.Error("the destination is not as it was")
	}
	for info, err := range storage.ReadDir(t.Context(), fsys, "/") {
		if err != nil || storage.Reserved(info.Name()) {
			t.Errorf("left behind: %v %v", info, err)
		}
	}
	response := do(t, h, "DELETE", "/dst", nil)
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("after Shutdown: %s %v", response.Status, response.Header)
	}
	if !exists(t, fsys, "/dst") {
		t.Error("a DELETE after Shutdown was carried out")
	}
}

// TestShutdownWaits checks that Shutdown returns only when the operation has ended.
func TestShutdownWaits(t *testing.T) {
	fsys := plant(t)
	h, g := &dav.Handler{}, newGate(fsys)
	client := inOperation(t, h, g, "COPY /src/ HTTP/1.1\r\nDestination: /dst\r\n")
	stopped := make(chan error, 1)
	go func() { stopped <- h.Shutdown(t.Context()) }()
	select {
	case err := <-stopped:
		t.Fatalf("Shutdown returned %v while an operation ran", err)
	default:
	}
	g.open()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if err := <-client.ended; err != nil {
		t.Error(err)
	}
	if !exists(t, fsys, "/dst/c/b.txt") {
		t.Error("the copy is not complete")
	}
}

// TestShutdownStreaming checks that a streamed PROPFIND ends with well-formed XML and
// says that it is not complete.
func TestShutdownStreaming(t *testing.T) {
	fsys := plant(t)
	for i := range 2000 { // more than is held
		write(t, fsys, fmt.Sprintf("/src/%d", i), "")
	}
	slow := &stopAt{FS: fsys, name: "/src/c"}
	h := &dav.Handler{FileSystem: slow}
	slow.shutdown = stopper(h)
	response := do(t, h, "PROPFIND", "/src", http.Header{"Depth": {"infinity"}})
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	// Not in a second response element for /src/ (RFC 4918 §14.24).
	if !strings.HasSuffix(string(body), "</D:response><D:responsedescription>the listing is not complete: the server is shutting down</D:responsedescription></D:multistatus>") {
		t.Errorf("ends with %q", body[max(0, len(body)-300):])
	}
}

// TestShutdownHeld checks that a held PROPFIND gets an error status.
func TestShutdownHeld(t *testing.T) {
	slow := &stopAt{FS: plant(t), name: "/src/c"}
	h := &dav.Handler{FileSystem: slow}
	slow.shutdown = stopper(h)
	response := do(t, h, "PROPFIND", "/src", http.Header{"Depth": {"infinity"}})
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusServiceUnavailable || strings.Contains(string(body), "<") {
		t.Errorf("%s %q", response.Status, body)
	}
}

// stopper shuts h down without a grace period.
func stopper(h *dav.Handler) func() {
	return func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = h.Shutdown(over)
	}
}

// stopAt is storage that shuts the server down when it opens name.
type stopAt struct {
	storage.FS
	name     string
	shutdown func()
}

func (s *stopAt) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (storage.File, error) {
	if name == s.name && flag == os.O_RDONLY {
		go s.shutdown()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.FS.OpenFile(ctx, name, flag, perm)
}

// do sends a request over a connection of its own.
func do(t *testing.T, h http.Handler, method, path string, header http.Header) *http.Response {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// pipeListener passes one in-memory connection to a server, so that both ends are in a
// bubble of virtual time.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestSlowStorage runs a COPY of four members in virtual time, on storage where each
// call takes 7 s and with a WriteTimeout that is shorter than the operation (rule 6).
func TestSlowStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		h := &dav.Handler{FileSystem: latency.New(plant(t), 7e9), Interim: interim.Policy{Mode: interim.Always}}
		server := &http.Server{Handler: h, WriteTimeout: 10e9}
		go server.Serve(l) //nolint:errcheck // ends with http.ErrServerClosed
		client, serverSide := net.Pipe()
		l.conns <- serverSide
		go io.WriteString(client, "COPY /src HTTP/1.1\r\nHost: davd.test\r\nDestination: /dst\r\nConnection: close\r\n\r\n") //nolint:errcheck // read below
		answer, err := io.ReadAll(client)
		if err != nil {
			t.Fatal(err)
		}
		interims := strings.Count(string(answer), "HTTP/1.1 102 Processing\r\n")
		if interims < 5 || !strings.Contains(string(answer), "\r\n\r\nHTTP/1.1 201 Created\r\n") {
			t.Errorf("%d interim responses in %q", interims, answer)
		}
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

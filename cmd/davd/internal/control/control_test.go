package control

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

type greeting struct{ Text string }

// commands returns Commands with "greet", which rejects an empty name.
func commands() *Commands {
	var c Commands
	Add(&c, "greet", func(_ context.Context, name string) (greeting, error) {
		if name == "" {
			return greeting{}, errors.New("who is it?")
		}
		return greeting{"hello " + name}, nil
	})
	return &c
}

func start(t *testing.T, path string) *Server {
	t.Helper()
	s, err := Start(t.Context(), path, commands(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	return s
}

func greet(t *testing.T, path string) {
	t.Helper()
	c, err := Connect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var got greeting
	if err := c.Call(t.Context(), "greet", "ann", &got); err != nil || got.Text != "hello ann" {
		t.Errorf("got %+v, error %v", got, err)
	}
}

func TestCall(t *testing.T) {
	path := Path(filepath.Join(t.TempDir(), "files.db"))
	start(t, path)
	greet(t, path)
	c, err := Connect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var got greeting
	if err := c.Call(t.Context(), "greet", "", &got); err == nil || err.Error() != "who is it?" {
		t.Errorf("a command that fails: error %v", err)
	}
	if err := c.Call(t.Context(), "greet", 7, &got); err == nil || !strings.Contains(err.Error(), "can't read the arguments") {
		t.Errorf("other arguments: error %v", err)
	}
	if err := c.Call(t.Context(), "greet", strings.Repeat("x", maxRequest), &got); err == nil {
		t.Error("endless arguments are accepted")
	}
	if err := c.Call(t.Context(), "dance", "ann", &got); !errors.Is(err, errOtherVersion) {
		t.Errorf("an unknown command: error %v", err)
	}
	response, err := c.http.Get("http://davd/greet")
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Close(); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET is %s", response.Status)
	}
}

// TestSocket checks that only its user can use the socket, and that it only exists while
// davd runs.
func TestSocket(t *testing.T) {
	path := Path(filepath.Join(t.TempDir(), "files.db"))
	notRunning := func() {
		t.Helper()
		if _, err := Connect(t.Context(), path); !errors.Is(err, ErrNotRunning) {
			t.Errorf("got error %v", err)
		}
	}
	notRunning()
	s := start(t, path)
	if info, err := os.Lstat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("the socket is %v, error %v", info, err)
	}
	s.Stop(t.Context())
	notRunning()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}

	// The socket of a dead davd doesn't answer, and is replaced.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	notRunning()
	start(t, path)
	greet(t, path)
}

// TestEmptyFileInTheWay checks that an empty file is replaced. Some filesystems without
// sockets create one, and a davd that was killed at that moment leaves it behind.
func TestEmptyFileInTheWay(t *testing.T) {
	path := Path(filepath.Join(t.TempDir(), "files.db"))
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, path)
	greet(t, path)
}

// TestSocketInTheWay checks that a file that is not a socket is left alone.
func TestSocketInTheWay(t *testing.T) {
	path := Path(filepath.Join(t.TempDir(), "files.db"))
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), path, commands(), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("got error %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "mine" {
		t.Errorf("the file has %q, error %v", content, err)
	}
	if _, err := Start(t.Context(), filepath.Join(path, "below"), commands(), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("started below a file")
	}
	(*Server)(nil).Stop(t.Context())
}

// TestLongPath has a state whose path is longer than that of a socket can be.
func TestLongPath(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has names for long paths of sockets")
	}
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := Path(filepath.Join(dir, strings.Repeat("name", 20)+".db"))
	s := start(t, path)
	greet(t, path)
	s.Stop(t.Context())
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, error %v", left, err)
	}
}

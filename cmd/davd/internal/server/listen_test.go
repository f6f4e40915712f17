package server_test

import (
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/server"
)

func TestWhere(t *testing.T) {
	for _, tt := range []struct {
		addr   string
		secure bool
		path   string
		want   string // PORT stands for the actual port
		public bool
	}{
		{"127.0.0.1:0", false, "/", "http://127.0.0.1:PORT/", false},
		{"localhost:0", true, "/a b/", "https://localhost:PORT/a%20b/", false},
		{":0", false, "/", "http://localhost:PORT/", true},
		{"0.0.0.0:0", false, "/", "http://localhost:PORT/", true},
		{"unix:" + t.TempDir() + "/s.sock", true, "/", "", false},
	} {
		l := listen(t, tt.addr)[0]
		want := tt.addr
		if addr, ok := l.Addr().(*net.TCPAddr); ok {
			_, port, _ := net.SplitHostPort(addr.String())
			want = strings.ReplaceAll(tt.want, "PORT", port)
		}
		if got := l.Where(tt.secure, tt.path); got != want {
			t.Errorf("%s is at %s, want %s", tt.addr, got, want)
		}
		if l.Public() != tt.public {
			t.Errorf("%s is public: %v", tt.addr, l.Public())
		}
	}
}

func TestListenAllOrNone(t *testing.T) {
	dir := t.TempDir()
	busy := listen(t, "127.0.0.1:0")[0].Addr().String()
	if _, err := server.Listen(t.Context(), addrs(t, "unix:"+dir+"/s.sock", busy)); err == nil {
		t.Fatal("got listeners")
	} else if !strings.HasPrefix(err.Error(), busy+": another program listens there: ") {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, error %v", left, err)
	}
}

func TestListenUnix(t *testing.T) {
	t.Chdir(t.TempDir()) // a socket's path is short
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: "dead"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	listen(t, "unix:live")
	if err := os.WriteFile("file", []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("dead", "link"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, says string }{
		{"live", "another program listens there"},
		{"file", "is not a socket"},
		{"link", "is not a socket"},
		{"none/socket", "its directory does not exist"},
		{strings.Repeat("x", 200), "its path may be too long"},
	} {
		before, beforeErr := os.Lstat(tt.name)
		if _, err := server.Listen(t.Context(), addrs(t, "unix:"+tt.name)); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got error %v, want %s", tt.name, err, tt.says)
		}
		if after, err := os.Lstat(tt.name); beforeErr == nil && (err != nil || !os.SameFile(before, after)) {
			t.Errorf("%s is gone", tt.name)
		}
	}
	l := listen(t, "unix:dead")[0]
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat("dead"); !os.IsNotExist(err) {
		t.Errorf("the closed socket is left: %v", err)
	}
	if info, err := os.Lstat("link"); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link is %v, error %v", info, err)
	}
}

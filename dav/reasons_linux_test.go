package dav_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/dav"
)

// TestReasons checks that an error of the storage has a reason for the client, without
// a path on the disk.
func TestReasons(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	outside := t.TempDir()
	for name, target := range map[string]string{"/out": outside, "/loop": "loop", "/in-loop": "loop/x"} {
		if err := os.Symlink(target, s.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(s.path("/fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ target, reason string }{
		{"/" + strings.Repeat("n", 256), "too long for the storage"},
		{"/out", "leads out of the share"},
		{"/out/new", "leads out of the share"},
		{"/loop", "leads in a circle"},
		{"/in-loop", "leads in a circle"},
		{"/fifo", "a FIFO"},
	} {
		for _, method := range []string{"PUT", "MKCOL", "COPY"} {
			var a answer
			switch method {
			case "PUT":
				a = s.send(method, c.target, "x")
			case "MKCOL":
				a = s.send(method, c.target+"/new", "")
			case "COPY":
				a = s.send(method, "/f", "", "Destination: "+c.target+"/new")
			}
			if method == "PUT" && a.status != 403 || a.status/100 != 4 {
				t.Errorf("%s %.20s is %d", method, c.target, a.status)
			}
			if a.status == 403 && !strings.Contains(a.body, c.reason) || strings.Contains(a.body, outside) || strings.Contains(a.body, s.dir) {
				t.Errorf("%s %.20s: %d %q, want %q", method, c.target, a.status, a.body, c.reason)
			}
		}
	}
	s.holdsNothingIn(outside)
}

func (s *share) holdsNothingIn(dir string) {
	s.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		s.Errorf("%v, %v", entries, err)
	}
}

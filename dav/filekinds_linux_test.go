package dav_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/local"
)

// policies are the ways to treat symbolic links.
var policies = []local.Links{local.LinksInside, local.LinksDeny, local.LinksFollow}

// servePolicy serves l from a directory with a policy for symbolic links.
func servePolicy(t *testing.T, links local.Links, h *dav.Handler, l layout) *share {
	t.Helper()
	dir := t.TempDir()
	fsys, err := local.OpenWith(dir, local.Options{Links: links})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	s := serve(t, fsys, h, l)
	s.dir = dir
	return s
}

func (s *share) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }

// kinds are the kinds of files that are neither regular files nor collections.
var kinds = []struct {
	name   string
	make   func(t *testing.T, file string)
	listed string // how the storage lists it
}{
	{"FIFO", func(t *testing.T, file string) {
		if err := unix.Mkfifo(file, 0o666); err != nil {
			t.Fatal(err)
		}
	}, "p---------"},
	{"socket", func(t *testing.T, file string) {
		t.Chdir(filepath.Dir(file)) // a socket's path must be short
		l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: filepath.Base(file)})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}, "S---------"},
	{"device", func(t *testing.T, file string) {
		null := unix.Mkdev(1, 3)
		if err := unix.Mknod(file, unix.S_IFCHR|0o666, int(null)); err != nil {
			t.Fatalf("a device can't be made, which needs root: %v", err)
		}
	}, "Dc---------"},
}

// patience is how long a request may take if it must not wait.
const patience = 2 * time.Minute

// neverWaits fails the test if a request waits for the other end of the FIFO file, and
// ends that wait.
func neverWaits(t *testing.T, file string) {
	t.Helper()
	var waited atomic.Bool
	timer := time.AfterFunc(patience, func() {
		waited.Store(true)
		if fifo, err := os.OpenFile(file, os.O_RDWR|syscall.O_NONBLOCK, 0); err == nil {
			time.AfterFunc(patience, func() { _ = fifo.Close() })
		}
	})
	t.Cleanup(func() {
		timer.Stop()
		if waited.Load() {
			t.Errorf("requests took more than %v", patience)
		}
	})
}

// TestSpecialFiles: for every method, a special file doesn't exist, and no request
// waits for it. A DELETE of its collection removes it, a MOVE takes it along, and a
// COPY leaves it out. The same applies if a symbolic link leads to it.
func TestSpecialFiles(t *testing.T) {
	for _, kind := range kinds {
		for _, links := range policies {
			for _, linked := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/linked %t", kind.name, links, linked), func(t *testing.T) {
					s := servePolicy(t, links, &dav.Handler{}, layout{"/c/f": "1", "/real/g": "2"})
					is, at := layout{"/c/x": kind.listed}, "/c/x"
					if linked {
						is, at = layout{"/c/x": "L---------", "/real/x": kind.listed}, "/real/x"
						if err := os.Symlink("../real/x", s.path("/c/x")); err != nil {
							t.Fatal(err)
						}
					}
					kind.make(t, s.path(at))
					neverWaits(t, s.path(at))
					all := layout{"/c/f": "1", "/real/g": "2"}.with(is)
					s.wants(404, "GET", "/c/x")
					s.wants(404, "HEAD", "/c/x")
					s.wants(404, "PROPFIND", "/c/x", "Depth: 0")
					s.wants(404, "PROPPATCH", "/c/x")
					s.wants(404, "COPY", "/c/x", "Destination: /y")
					s.wants(404, "MOVE", "/c/x", "Destination: /y")
					s.wants(404, "DELETE", "/c/x")
					for _, method := range []string{"PUT", "MKCOL", "LOCK"} {
						if a := s.do(method, "/c/x"); a.status < 400 || a.status >= 500 {
							t.Errorf("%s: status %d, want a refusal", method, a.status)
						}
					}
					for _, depth := range []string{"1", "infinity"} {
						if a := s.do("PROPFIND", "/c/", "Depth: "+depth); a.status != 207 || !strings.Contains(a.body, ">/c/f<") || strings.Contains(a.body, "/c/x") {
							t.Errorf("PROPFIND with depth %s: status %d: %s", depth, a.status, a.body)
						}
					}
					s.wants(200, "GET", "/c/")
					s.holds(all)
					s.wants(201, "COPY", "/c/", "Destination: /copy/")
					s.holds(all.with(layout{"/copy/f": "1"}))
					s.wants(201, "MOVE", "/c/", "Destination: /copy/moved/")
					s.holds(all.without("/c").with(layout{"/copy/f": "1", "/copy/moved/f": "1", "/copy/moved/x": is["/c/x"]}))
					s.wants(204, "DELETE", "/copy/")
					s.holds(all.without("/c"))
					s.wants(204, "DELETE", "/real/")
					s.holds(layout{})
				})
			}
		}
	}
}

// TestSpecialFilesAcross: a MOVE to another filesystem copies. A special file can't be
// copied and clients don't see it, so it is removed with the source.
func TestSpecialFilesAcross(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			s := servePolicy(t, local.LinksInside, &dav.Handler{}, layout{"/c/f": "1", "/small/": ""})
			if err := unix.Mount("tmpfs", s.path("/small"), "tmpfs", 0, "size=1m"); err != nil {
				t.Fatalf("a tmpfs can't be mounted, which needs root: %v", err)
			}
			t.Cleanup(func() {
				if err := unix.Unmount(s.path("/small"), unix.MNT_DETACH); err != nil {
					t.Error(err)
				}
			})
			kind.make(t, s.path("/c/x"))
			neverWaits(t, s.path("/c/x"))
			s.wants(201, "MOVE", "/c/", "Destination: /small/c/")
			s.holds(layout{"/small/c/f": "1"})
		})
	}
}

// TestCopyLinksAcross: if links are copied as links, a MOVE that copies keeps them, as
// a rename would. Otherwise it copies their targets.
func TestCopyLinksAcross(t *testing.T) {
	for _, copies := range []bool{true, false} {
		s := servePolicy(t, local.LinksInside, &dav.Handler{CopyLinks: copies}, layout{"/c/f": "1", "/small/": ""})
		if err := unix.Mount("tmpfs", s.path("/small"), "tmpfs", 0, "size=1m"); err != nil {
			t.Fatalf("a tmpfs can't be mounted, which needs root: %v", err)
		}
		t.Cleanup(func() {
			if err := unix.Unmount(s.path("/small"), unix.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
		for name, text := range map[string]string{"/c/near": "f", "/c/dangling": "no/where"} {
			if err := os.Symlink(text, s.path(name)); err != nil {
				t.Fatal(err)
			}
		}
		s.wants(201, "MOVE", "/c/", "Destination: /small/c/")
		if !copies {
			s.holds(layout{"/small/c/f": "1", "/small/c/near": "1"})
			continue
		}
		s.holds(layout{"/small/c/f": "1", "/small/c/near": "L---------", "/small/c/dangling": "L---------"})
		if text, err := os.Readlink(s.path("/small/c/dangling")); err != nil || text != "no/where" {
			t.Errorf("the link says %q, %v", text, err)
		}
	}
}

// TestHardLinks: a file with two names is copied as separate files. Changing it under
// one name doesn't remove the other name.
func TestHardLinks(t *testing.T) {
	for _, c := range []struct {
		name, method, target, destination, body string
		status                                  int
		want                                    layout
		// same is a name that still is the file; others are names of other files.
		same   string
		others []string
	}{
		{"COPY of one [RFC4918:S9.8]", "COPY", "/c/a", "/new", "", 201, layout{"/c/a": "1", "/c/b": "1", "/d/e": "1", "/new": "1"}, "/c/a", []string{"/new"}},
		{"COPY of both [RFC4918:S9.8]", "COPY", "/c/", "/new/", "", 201, layout{"/c/a": "1", "/c/b": "1", "/d/e": "1", "/new/a": "1", "/new/b": "1"}, "/c/a", []string{"/new/a", "/new/b"}},
		{"COPY onto another name", "COPY", "/c/a", "/d/e", "", 204, layout{"/c/a": "1", "/c/b": "1", "/d/e": "1"}, "/c/a", []string{"/d/e"}},
		{"MOVE of one [RFC4918:S9.9]", "MOVE", "/c/a", "/new", "", 201, layout{"/new": "1", "/c/b": "1", "/d/e": "1"}, "/new", nil},
		{"MOVE of both [RFC4918:S9.9]", "MOVE", "/c/", "/new/", "", 201, layout{"/new/a": "1", "/new/b": "1", "/d/e": "1"}, "/new/b", nil},
		{"MOVE onto another name", "MOVE", "/c/a", "/d/e", "", 204, layout{"/c/b": "1", "/d/e": "1"}, "/c/b", nil},
		{"PUT to one [RFC9110:S9.3.4]", "PUT", "/c/a", "", "new", 204, layout{"/c/a": "new", "/c/b": "1", "/d/e": "1"}, "/c/b", []string{"/c/a"}},
		{"DELETE of one [RFC4918:S9.6]", "DELETE", "/c/a", "", "", 204, layout{"/c/b": "1", "/d/e": "1"}, "/c/b", nil},
		{"DELETE of both [RFC4918:S9.6]", "DELETE", "/c/", "", "", 204, layout{"/d/e": "1"}, "/d/e", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, layout{"/c/a": "1", "/d/": ""})
			for _, name := range []string{"/c/b", "/d/e"} {
				if err := os.Link(s.path("/c/a"), s.path(name)); err != nil {
					t.Fatal(err)
				}
			}
			was, err := os.Stat(s.path("/c/a"))
			if err != nil {
				t.Fatal(err)
			}
			if a := s.send(c.method, c.target, c.body, "Destination: "+c.destination); a.status != c.status {
				t.Errorf("status %d, want %d", a.status, c.status)
			}
			s.holds(c.want)
			for i, name := range append([]string{c.same}, c.others...) {
				if is, err := os.Stat(s.path(name)); err != nil || os.SameFile(is, was) != (i == 0) {
					t.Errorf("%s: the old file: %t, %v", name, os.SameFile(is, was), err)
				}
			}
			for i, name := range c.others {
				for _, other := range c.others[:i] {
					a, aErr := os.Stat(s.path(name))
					b, bErr := os.Stat(s.path(other))
					if aErr != nil || bErr != nil || os.SameFile(a, b) {
						t.Errorf("%s and %s are one file; %v, %v", name, other, aErr, bErr)
					}
				}
			}
		})
	}
}

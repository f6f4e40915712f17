package dav_test

import (
	"encoding/xml"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
)

// garden is the tree that most tests start with.
func garden() layout {
	return layout{
		"/f": "file", "/c/m": "member", "/c/s/d": "deep", "/c/empty/": "",
		"/old": "old content", "/o/only": "only here", "/o/m": "old member",
	}.full()
}

// with returns l together with more.
func (l layout) with(more layout) layout {
	sum := maps.Clone(l)
	maps.Copy(sum, more)
	return sum
}

// without returns l without the trees at roots.
func (l layout) without(roots ...string) layout {
	rest := maps.Clone(l)
	for _, root := range roots {
		maps.DeleteFunc(rest, func(name, _ string) bool { return name == root || strings.HasPrefix(name, root+"/") })
	}
	return rest
}

// at returns the tree at src moved to dst.
func (l layout) at(src, dst string) layout {
	moved := layout{}
	for name, content := range l {
		if rest, found := strings.CutPrefix(name, src); found && (rest == "" || rest[0] == '/') {
			moved[dst+rest] = content
		}
	}
	return moved
}

// transferCase is a COPY or MOVE of garden's tree.
type transferCase struct {
	name        string
	src         string
	destination string // "": no such header
	fields      []string
	status      int
	// copied and placed are the storage names of the source and the result. If they are
	// empty, the tree must not change.
	copied, placed string
	depth0         bool
}

// transfers apply to COPY and MOVE.
var transfers = []transferCase{
	{name: "§9.8.5 file to a new name", src: "/f", destination: "/new", status: 201, copied: "/f", placed: "/new"},
	{name: "§9.8.3 collection to a new name", src: "/c/", destination: "/new/", status: 201, copied: "/c", placed: "/new"},
	{name: "§5.2 collection without its slash", src: "/c", destination: "/new", status: 201, copied: "/c", placed: "/new"},
	{name: "§10.3 absolute URI", src: "/f", destination: "{server}/new", status: 201, copied: "/f", placed: "/new"},
	{name: "into another collection", src: "/f", destination: "/o/new", status: 201, copied: "/f", placed: "/o/new"},
	{name: "a name that starts with the source's name", src: "/c", destination: "/cc", status: 201, copied: "/c", placed: "/cc"},
	{name: "empty collection", src: "/c/empty/", destination: "/new/", status: 201, copied: "/c/empty", placed: "/new"},
	{name: "hostile name", src: "/f", destination: "/%25%23%3f%26%0a%22%c3%a4%20", status: 201, copied: "/f", placed: "/%#?&\n\"ä "},
	{name: "§9.8.3 Depth infinity", src: "/c/", destination: "/new/", fields: []string{"Depth: infinity"}, status: 201, copied: "/c", placed: "/new"},
	{name: "§8.2 Depth Infinity", src: "/c/", destination: "/new/", fields: []string{"Depth: Infinity"}, status: 201, copied: "/c", placed: "/new"},

	{name: "§10.6 no Overwrite onto a file", src: "/f", destination: "/old", status: 204, copied: "/f", placed: "/old"},
	{name: "§10.6 Overwrite T onto a file", src: "/f", destination: "/old", fields: []string{"Overwrite: T"}, status: 204, copied: "/f", placed: "/old"},
	{name: "§10.6 Overwrite F onto a file", src: "/f", destination: "/old", fields: []string{"Overwrite: F"}, status: 412},
	{name: "§8.2 Overwrite f onto a file", src: "/f", destination: "/old", fields: []string{"Overwrite: f"}, status: 412},
	{name: "§10.6 Overwrite F onto a collection", src: "/c/", destination: "/o/", fields: []string{"Overwrite: F"}, status: 412},
	{name: "§10.6 Overwrite F to a new name", src: "/f", destination: "/new", fields: []string{"Overwrite: F"}, status: 201, copied: "/f", placed: "/new"},
	{name: "§10.6 invalid Overwrite", src: "/f", destination: "/old", fields: []string{"Overwrite: yes"}, status: 400},
	{name: "§9.8.4 a collection is replaced, not merged", src: "/c/", destination: "/o/", status: 204, copied: "/c", placed: "/o"},
	{name: "§9.8.4 a collection onto a file", src: "/c/", destination: "/old", status: 204, copied: "/c", placed: "/old"},
	{name: "§9.8.4 a file onto a collection", src: "/f", destination: "/o/", status: 204, copied: "/f", placed: "/o"},
	{name: "§9.8.4 an empty collection onto a full one", src: "/c/empty/", destination: "/o/", status: 204, copied: "/c/empty", placed: "/o"},

	{name: "§10.3 no Destination", src: "/f", status: 400},
	{name: "§10.3 relative Destination", src: "/f", destination: "new", status: 400},
	{name: "§9.8.5 another server", src: "/f", destination: "http://other.test/new", status: 502},
	{name: "§10.2 Depth 1", src: "/c/", destination: "/new/", fields: []string{"Depth: 1"}, status: 400},
	{name: "§10.2 invalid Depth", src: "/c/", destination: "/new/", fields: []string{"Depth: all"}, status: 400},
	{name: "§9.8.5 no parent of the destination", src: "/f", destination: "/missing/new", status: 409},
	{name: "§9.8.5 the parent of the destination is a file", src: "/f", destination: "/old/new", status: 409},
	{name: "§9.8.5 the parent's parent does not exist", src: "/c/", destination: "/missing/missing/new", status: 409},
	{name: "missing source", src: "/missing", destination: "/new", status: 404},
	{name: "missing source, destination unchanged", src: "/missing", destination: "/old", status: 404},
	{name: "missing source, collection unchanged", src: "/missing", destination: "/o/", fields: []string{"Overwrite: T"}, status: 404},
	{name: "§9.8.5 onto itself", src: "/f", destination: "/f", status: 403},
	{name: "§9.8.5 a collection onto itself", src: "/c/", destination: "/c/", status: 403},
	{name: "§9.8.5 onto itself, encoded", src: "/c/", destination: "/%63", status: 403},
	{name: "§9.8.5 onto itself, with dots", src: "/c", destination: "/o/../c/./", status: 403},
	{name: "into its own child", src: "/c/", destination: "/c/new", status: 403},
	{name: "onto its own child", src: "/c/", destination: "/c/s/", status: 403},
	{name: "into its own grandchild", src: "/c/", destination: "/c/s/new", status: 403},
	{name: "onto its own parent", src: "/c/s/", destination: "/c/", status: 403},
	{name: "a file onto its own collection", src: "/c/m", destination: "/c", status: 403},
	{name: "onto itself with Overwrite F", src: "/f", destination: "/f", fields: []string{"Overwrite: F"}, status: 403},
	{name: "onto the root", src: "/c/", destination: "/", status: 403},
	{name: "onto the root, as the URL of the server", src: "/c/", destination: "{server}", status: 403},
	{name: "the root", src: "/", destination: "/new/", status: 403},
	{name: "the root onto itself", src: "/", destination: "/", status: 403},
	{name: "to a reserved name", src: "/f", destination: "/.davd-x", status: 403},
	{name: "into a reserved name", src: "/f", destination: "/%2edavd-x/new", status: 403},
	{name: "a reserved name", src: "/.davd-x", destination: "/new", status: 403},
}

func runTransfers(t *testing.T, method string, cases []transferCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				fields := c.fields
				if c.destination != "" {
					fields = append([]string{"Destination: " + c.destination}, fields...)
				}
				s.wants(c.status, method, c.src, fields...)
				want := garden()
				if c.placed != "" {
					copied := garden().at(c.copied, c.placed)
					if c.depth0 {
						copied = layout{c.placed + "/": ""}
					}
					want = want.without(c.placed).with(copied)
				}
				if c.placed != "" && method == "MOVE" {
					want = want.without(c.copied)
				}
				s.holds(want)
				s.unlocked("/f", "/c/", "/old", "/o/")
			})
		})
	}
}

// unlocked checks that a request has left no locks on targets.
func (s *share) unlocked(targets ...string) {
	s.Helper()
	for _, target := range targets {
		if a := s.send("PROPPATCH", target, `<D:propertyupdate xmlns:D="DAV:"/>`); a.status == http.StatusLocked {
			s.Errorf("%s is still locked", target)
		}
	}
}

func TestCopy(t *testing.T) {
	runTransfers(t, "COPY", transfers)
	runTransfers(t, "COPY", []transferCase{
		{name: "§9.8.3 Depth 0 of a collection", src: "/c/", destination: "/new/", fields: []string{"Depth: 0"}, status: 201, copied: "/c", placed: "/new", depth0: true},
		{name: "§9.8.3 Depth 0 of a file", src: "/f", destination: "/new", fields: []string{"Depth: 0"}, status: 201, copied: "/f", placed: "/new"},
		{name: "§9.8.4 Depth 0 onto a collection", src: "/c/", destination: "/o/", fields: []string{"Depth: 0"}, status: 204, copied: "/c", placed: "/o", depth0: true},
		{name: "Depth 0 into its own child", src: "/c/", destination: "/c/new", fields: []string{"Depth: 0"}, status: 403},
	})
}

func TestMove(t *testing.T) {
	runTransfers(t, "MOVE", transfers)
	runTransfers(t, "MOVE", []transferCase{
		{name: "§9.9.2 Depth 0", src: "/c/", destination: "/new/", fields: []string{"Depth: 0"}, status: 400},
	})
}

// TestCopyIsApart: changing a copy doesn't change its source.
func TestCopyIsApart(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		s.wants(201, "COPY", "/f", "Destination: /new")
		if a := s.send("PUT", "/new", "changed"); a.status/100 != 2 {
			s.Errorf("PUT is %d", a.status)
		}
		s.holds(garden().with(layout{"/new": "changed"}))
	})
}

// TestTransferKeepsTime: a copied or moved file keeps its modification time.
func TestTransferKeepsTime(t *testing.T) {
	for _, method := range []string{"COPY", "MOVE"} {
		t.Run(method, func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			old := timeOf(t, s.dir, "/o/m").Add(-240 * time.Hour)
			if err := os.Chtimes(filepath.Join(s.dir, "f"), old, old); err != nil {
				t.Fatal(err)
			}
			s.wants(204, method, "/f", "Destination: /old")
			if got := timeOf(t, s.dir, "/old"); !got.Equal(old) {
				t.Errorf("%v, want %v", got, old)
			}
		})
	}
}

func timeOf(t *testing.T, dir, name string) time.Time {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

// TestTransferPrefix: Destination is compared without the prefix.
func TestTransferPrefix(t *testing.T) {
	for _, method := range []string{"COPY", "MOVE"} {
		for _, c := range []struct {
			name, destination string
			status            int
			placed            string
		}{
			{"below it", "/dav/new", 201, "/new"},
			{"below it, encoded", "/d%61v/new", 201, "/new"},
			{"outside", "/new", 502, ""},
			{"a longer first segment", "/davd/new", 502, ""},
			{"the source itself", "/dav/f", 403, ""},
		} {
			t.Run(method+" "+c.name, func(t *testing.T) {
				s := serveMem(t, &dav.Handler{Prefix: "/dav/"}, garden())
				s.wants(c.status, method, "/dav/f", "Destination: "+c.destination)
				want := garden()
				if c.placed != "" {
					want[c.placed] = "file"
					if method == "MOVE" {
						delete(want, "/f")
					}
				}
				s.holds(want)
			})
		}
	}
}

// TestTransferForwardedHost: the client knows the server by the name of the proxy in
// front.
func TestTransferForwardedHost(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	s.wants(502, "COPY", "/f", "Destination: https://public.test/new")
	s.wants(201, "COPY", "/f", "Destination: https://public.test/new", "X-Forwarded-Host: public.test")
}

// TestCopyPartial: the answer names a member that fails, with its own status, and the
// others are copied (§9.8.3).
func TestCopyPartial(t *testing.T) {
	for _, c := range []struct {
		name, destination string
		op                string
		fails             []string
		err               error
		want              map[string]int
		missing           []string
	}{
		{"a file that can't be read", "/new/", "open", []string{"/c/m"}, fs.ErrPermission, map[string]int{"/c/m": 403}, []string{"/new/m"}},
		{"a collection that can't be listed", "/new/", "readdir", []string{"/c/s"}, syscall.EIO, map[string]int{"/c/s/": 500}, []string{"/new/s"}},
		{"two files that can't be read", "/new/", "open", []string{"/c/m", "/c/s/d"}, syscall.EACCES, map[string]int{"/c/m": 403, "/c/s/d": 403}, []string{"/new/m", "/new/s/d"}},
		{"onto another collection", "/o/", "open", []string{"/c/m"}, fs.ErrPermission, map[string]int{"/c/m": 403}, []string{"/o/m"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			dst := strings.TrimSuffix(c.destination, "/")
			s.fail(c.err, c.op, c.fails...)
			s.failures(s.do("COPY", "/c/", "Destination: "+c.destination), c.want)
			s.before = nil
			s.holds(garden().without(dst).with(garden().at("/c", dst)).without(c.missing...))
			s.unlocked("/c/", c.destination)
		})
	}
}

// TestTransferFails: a COPY or MOVE that fails leaves the destination unchanged.
func TestTransferFails(t *testing.T) {
	anyOf := func(op string, err error) func(o, name string) error {
		return func(o, name string) error {
			if o == op {
				return &fs.PathError{Op: o, Path: "/secret/path" + name, Err: err}
			}
			return nil
		}
	}
	on := func(op, at string, err error) func(o, name string) error {
		return func(o, name string) error {
			if o == op && name == at {
				return &fs.PathError{Op: o, Path: "/secret/path" + name, Err: err}
			}
			return nil
		}
	}
	// notRenamed makes renaming /c and /f fail, so that a MOVE copies.
	notRenamed := func(before func(o, name string) error) func(o, name string) error {
		return func(o, name string) error {
			if o == "rename" && (name == "/c" || name == "/f") {
				return syscall.EXDEV
			}
			return before(o, name)
		}
	}
	for _, c := range []struct {
		name             string
		src, destination string
		before           func(op, name string) error
		status           int
	}{
		{"§9.8.5 disk full", "/c/", "/o/", anyOf("write", syscall.ENOSPC), 507},
		{"§9.8.5 disk full, file", "/f", "/old", anyOf("write", syscall.ENOSPC), 507},
		{"§9.8.5 disk full, new name", "/c/", "/new/", anyOf("write", syscall.ENOSPC), 507},
		{"§9.8.5 disk full when closing", "/c/", "/o/", anyOf("close", syscall.ENOSPC), 507},
		{"§9.8.5 quota", "/c/", "/o/", anyOf("mkdir", syscall.EDQUOT), 507},
		{"read-only storage", "/c/", "/o/", anyOf("mkdir", syscall.EROFS), 403},
		{"the source can't be opened", "/f", "/old", on("open", "/f", syscall.EACCES), 403},
		{"the source can't be described", "/f", "/old", on("stat", "/f", syscall.EIO), 500},
		{"the source can't be listed", "/c/", "/o/", on("readdir", "/c", syscall.EACCES), 403},
		{"the parent of the destination can't be read", "/f", "/o/new", on("stat", "/o", syscall.EACCES), 403},
		{"the destination can't be displaced", "/c/", "/o/", on("rename", "/o", syscall.EIO), 500},
	} {
		for _, method := range []string{"COPY", "MOVE"} {
			t.Run(method+" "+c.name, func(t *testing.T) {
				s := serveLocal(t, &dav.Handler{}, garden())
				s.before = c.before
				if method == "MOVE" {
					s.before = notRenamed(c.before)
				}
				s.wants(c.status, method, c.src, "Destination: "+c.destination)
				s.before = nil
				s.holds(garden())
				s.unlocked("/f", "/c/", "/old", "/o/", "/new")
			})
		}
	}
}

// TestCopyStagedRenameFails: the last step fails after the old destination has been
// displaced.
func TestCopyStagedRenameFails(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	exchanged, displaced := false, false
	s.before = func(op, name string) error {
		switch {
		case op != "rename":
		case !exchanged:
			exchanged = true
			return errors.ErrUnsupported
		case name == "/o":
			displaced = true
		case displaced:
			displaced = false
			return syscall.EIO
		}
		return nil
	}
	s.wants(500, "COPY", "/c/", "Destination: /o/")
	s.before = nil
	s.holds(garden())
}

// TestTransferLeftover: the displaced resource can't be removed. The operation
// succeeds, and the leftover has a name that no client sees.
func TestTransferLeftover(t *testing.T) {
	var logged error
	h := &dav.Handler{Logger: func(r *http.Request, err error) {
		if r.Method == "COPY" {
			logged = err
		}
	}}
	s := serveLocal(t, h, garden())
	s.before = func(op, name string) error {
		if op == "remove" && strings.Contains(name, ".davd-") {
			return syscall.EACCES
		}
		return nil
	}
	s.wants(204, "COPY", "/c/", "Destination: /o/")
	s.before = nil
	s.server.Close() // waits for the log
	if logged == nil {
		t.Error("nothing was logged")
	}
	rest := s.tree()
	for name := range rest {
		if strings.HasPrefix(name, "/.davd-") {
			delete(rest, name)
		}
	}
	if want := garden().without("/o").with(garden().at("/c", "/o")); !maps.Equal(rest, want) {
		t.Errorf("%v, want %v", rest, want)
	}
}

// TestMoveByCopying: where renaming is impossible, as between two mounts, a MOVE copies
// everything or nothing, and then removes the source (§9.9.2).
func TestMoveByCopying(t *testing.T) {
	notRenamed := func(op, name string) error {
		if op == "rename" && name == "/c" {
			return syscall.EXDEV
		}
		return nil
	}
	t.Run("new", func(t *testing.T) {
		s := serveLocal(t, &dav.Handler{}, garden())
		s.before = notRenamed
		s.wants(201, "MOVE", "/c/", "Destination: /new/")
		s.before = nil
		s.holds(garden().without("/c").with(garden().at("/c", "/new")))
	})
	t.Run("onto another", func(t *testing.T) {
		s := serveLocal(t, &dav.Handler{}, garden())
		s.before = notRenamed
		s.wants(204, "MOVE", "/c/", "Destination: /o/")
		s.before = nil
		s.holds(garden().without("/c", "/o").with(garden().at("/c", "/o")))
	})
	t.Run("a member that can't be read", func(t *testing.T) {
		s := serveLocal(t, &dav.Handler{}, garden())
		s.before = func(op, name string) error {
			if op == "open" && name == "/c/s/d" {
				return fs.ErrPermission
			}
			return notRenamed(op, name)
		}
		s.failures(s.do("MOVE", "/c/", "Destination: /o/"), map[string]int{"/c/s/d": 403})
		s.before = nil
		s.holds(garden())
	})
	t.Run("a member that can't be removed", func(t *testing.T) {
		s := serveLocal(t, &dav.Handler{}, garden())
		s.before = func(op, name string) error {
			if op == "remove" && name == "/c/s/d" {
				return fs.ErrPermission
			}
			return notRenamed(op, name)
		}
		s.failures(s.do("MOVE", "/c/", "Destination: /o/"), map[string]int{"/c/s/d": 403})
		s.before = nil
		s.holds(layout{"/c/s/d": "deep"}.full().with(garden().without("/c", "/o")).with(garden().at("/c", "/o")))
	})
}

// TestTransferDeadProps: dead properties are copied and moved too (§9.8.2, §9.9.1).
func TestTransferDeadProps(t *testing.T) {
	const set = `<D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x"><D:set><D:prop><x:colour>blue</x:colour></D:prop></D:set></D:propertyupdate>`
	const ask = `<propfind xmlns="DAV:"><prop><colour xmlns="urn:x"/></prop></propfind>`
	for _, method := range []string{"COPY", "MOVE"} {
		t.Run(method, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			for _, target := range []string{"/c/m", "/c/s/d"} {
				if a := s.send("PROPPATCH", target, set); a.status != http.StatusMultiStatus {
					t.Fatalf("PROPPATCH is %d", a.status)
				}
			}
			s.wants(204, method, "/c/", "Destination: /o/")
			for _, target := range []string{"/o/m", "/o/s/d"} {
				m := s.multistatus(s.send("PROPFIND", target, ask, "Depth: 0"))
				if got := m.responses[target].props[xml.Name{Space: "urn:x", Local: "colour"}]; got.text != "blue" {
					t.Errorf("%s has %+v", target, got)
				}
			}
		})
	}
}

// TestTransferDir: the errors of x/net's own Dir get the right status.
func TestTransferDir(t *testing.T) {
	s := serve(t, webdav.Dir(t.TempDir()), &dav.Handler{}, garden())
	s.wants(409, "COPY", "/c/", "Destination: /old/x/new")
	s.wants(404, "COPY", "/old/x", "Destination: /new")
	s.wants(404, "DELETE", "/old/x")
	s.wants(404, "PROPFIND", "/old/x")
	s.wants(204, "COPY", "/c/", "Destination: /o/")
	s.wants(204, "MOVE", "/c/", "Destination: /o/")
	s.holds(garden().without("/c", "/o").with(garden().at("/c", "/o")))
}

// TestTransferLinks: a symbolic link never leads out of the share.
func TestTransferLinks(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "precious"), []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, src, destination string }{
		{"COPY", "/c/", "/new/"},
		{"COPY", "/o/", "/c/"},
		{"MOVE", "/c/", "/new/"},
		{"MOVE", "/o/", "/c/"},
		{"DELETE", "/c/", "/none"},
		{"COPY", "/c/out/precious", "/new"},
		{"MOVE", "/c/out/precious", "/new"},
		{"DELETE", "/c/out/precious", "/none"},
		{"DELETE", "/c/out", "/none"},
		{"COPY", "/f", "/c/out"},
		{"COPY", "/f", "/c/out/precious"},
		{"MOVE", "/f", "/c/out/new"},
	} {
		t.Run(c.method+" "+c.src+" "+c.destination, func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			if err := os.Symlink(outside, filepath.Join(s.dir, "c", "out")); err != nil {
				t.Skip(err)
			}
			a := s.do(c.method, c.src, "Destination: "+c.destination)
			if a.status >= 500 && a.status != http.StatusInsufficientStorage {
				t.Errorf("status %d: %s", a.status, a.body)
			}
			entries, err := os.ReadDir(outside)
			if err != nil || len(entries) != 1 {
				t.Fatalf("outside there is %v, %v", entries, err)
			}
			if content, err := os.ReadFile(filepath.Join(outside, "precious")); err != nil || string(content) != "precious" {
				t.Errorf("outside there is %q, %v", content, err)
			}
			for name, content := range s.tree() {
				if content == "precious" {
					t.Errorf("%s was taken from outside", name)
				}
			}
		})
	}
}

package dav_test

import (
	"context"
	"os"
	"path"
	"strings"
	"testing"

	"golang.org/x/net/webdav"
	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
)

// foldingFS folds the case and composition of names, as an exFAT or NTFS disk does.
// Listings have the spelling that created a resource.
type foldingFS struct{ storage.FS }

func (f foldingFS) same(a, b string) bool {
	return strings.EqualFold(norm.NFC.String(a), norm.NFC.String(b))
}

// spelled returns name with each segment spelled as it was created.
func (f foldingFS) spelled(ctx context.Context, name string) string {
	if name == "/" {
		return name
	}
	dir, base := f.spelled(ctx, path.Dir(name)), path.Base(name)
	for entry, err := range storage.ReadDir(ctx, f.FS, dir) {
		if err == nil && f.same(entry.Name(), base) {
			return path.Join(dir, entry.Name())
		}
	}
	return path.Join(dir, base)
}

func (f foldingFS) Mkdir(ctx context.Context, name string, perm os.FileMode) error {
	return f.FS.Mkdir(ctx, f.spelled(ctx, name), perm)
}

func (f foldingFS) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	return f.FS.OpenFile(ctx, f.spelled(ctx, name), flag, perm)
}

func (f foldingFS) RemoveAll(ctx context.Context, name string) error {
	return f.FS.RemoveAll(ctx, f.spelled(ctx, name))
}

func (f foldingFS) Rename(ctx context.Context, oldName, newName string) error {
	from, to := f.spelled(ctx, oldName), f.spelled(ctx, newName)
	if from == to {
		to = path.Join(path.Dir(to), path.Base(newName))
	}
	return f.FS.Rename(ctx, from, to)
}

func (f foldingFS) Stat(ctx context.Context, name string) (os.FileInfo, error) {
	return f.FS.Stat(ctx, f.spelled(ctx, name))
}

func (f foldingFS) Canonical(_ context.Context, name string, follow bool) (storage.Canon, error) {
	return storage.Resolver{
		Readlink: func(string) (string, error) { return "", nil },
		Spell:    func(_, segment string) string { return storage.Fold(segment) },
		Folds:    func(string) bool { return true },
	}.Canonical(name, follow), nil
}

// aliased is a share whose resources have two names each.
type aliased struct {
	name  string
	open  func(t *testing.T, h *dav.Handler) *share
	alias func(name string) string
}

// aliasedShares have the files /d/x, /d/s/y and /e/z, each with a second name.
var aliasedShares = []aliased{
	{"through a link", func(t *testing.T, h *dav.Handler) *share {
		s := serveLocal(t, h, aliasedLayout())
		s.link("d", "/l d")
		s.link("e", "/l e")
		return s
	}, func(name string) string { return "/l " + name[1:] }},
	{"through a link to a link", func(t *testing.T, h *dav.Handler) *share {
		s := serveLocal(t, h, aliasedLayout())
		s.mkdir("/in")
		s.link("../d", "/in/d")
		s.link("../e", "/in/e")
		s.link("in", "/l")
		return s
	}, func(name string) string { return "/l" + name }},
	{"through a link back", func(t *testing.T, h *dav.Handler) *share {
		s := serveLocal(t, h, aliasedLayout())
		s.mkdir("/in")
		s.link("..", "/in/back")
		return s
	}, func(name string) string { return "/in/back" + name }},
	{"in another case", openFolding, strings.ToUpper},
	{"in another composition", openFolding, norm.NFD.String},
	{"in another case and composition", openFolding, func(name string) string { return norm.NFD.String(strings.ToUpper(name)) }},
}

func openFolding(t *testing.T, h *dav.Handler) *share {
	return serve(t, foldingFS{webdav.NewMemFS()}, h, aliasedLayout())
}

func aliasedLayout() layout {
	return layout{"/d/xé": "old", "/d/sé/yé": "old", "/e/zé": "other", "/f": "file"}
}

// link makes a symbolic link in a local share.
func (s *share) link(text, name string) {
	s.Helper()
	if err := os.Symlink(text, s.dir+name); err != nil {
		s.Fatal(err)
	}
}

// TestLockedByAnotherName checks that a lock protects the resource under each name (RFC
// 4918 §7), and that its token gives access under each name.
func TestLockedByAnotherName(t *testing.T) {
	type change struct {
		method, target, destination string
		fields                      []string
		status                      int // without the token
		opened                      int // with the token
	}
	changes := []struct {
		name, lock, depth string
		change
	}{
		{"§9.7 PUT", "/d/xé", "0", change{method: "PUT", target: "/d/xé", status: 423, opened: 204}},
		{"PATCH", "/d/xé", "0", change{method: "PATCH", target: "/d/xé", status: 423, opened: 204, fields: []string{"Content-Type: application/x-sabredav-partialupdate", "X-Update-Range: append"}}},
		{"§9.2 PROPPATCH", "/d/xé", "0", change{method: "PROPPATCH", target: "/d/xé", status: 423, opened: 207}},
		{"§9.6 DELETE", "/d/xé", "0", change{method: "DELETE", target: "/d/xé", status: 423, opened: 204}},
		{"§9.9 MOVE from", "/d/xé", "0", change{method: "MOVE", target: "/d/xé", destination: "/moved", status: 423, opened: 201}},
		{"§9.9 MOVE to", "/d/xé", "0", change{method: "MOVE", target: "/f", destination: "/d/xé", status: 423, opened: 204}},
		{"§9.8 COPY to", "/d/xé", "0", change{method: "COPY", target: "/f", destination: "/d/xé", status: 423, opened: 204}},
		{"§9.8 COPY from", "/d/xé", "0", change{method: "COPY", target: "/d/xé", destination: "/copied", status: 201, opened: 204}},
		{"§9.10 LOCK", "/d/xé", "0", change{method: "LOCK", target: "/d/xé", status: 423, opened: 423}},
		{"§7.4 PUT into a locked collection", "/d", "0", change{method: "PUT", target: "/d/new", status: 423, opened: 201}},
		{"§7.4 MKCOL in a locked collection", "/d", "0", change{method: "MKCOL", target: "/d/new", status: 423, opened: 201}},
		{"§7.4 DELETE in a locked collection", "/d", "0", change{method: "DELETE", target: "/d/xé", status: 423, opened: 204}},
		{"§7.4 LOCK of a new name in a locked collection", "/d", "0", change{method: "LOCK", target: "/d/new", status: 423, opened: 201}},
		{"§7.4 PUT below a locked tree", "/d", "infinity", change{method: "PUT", target: "/d/sé/yé", status: 423, opened: 204}},
		{"§7.4 PUT of a new file below a locked tree", "/d", "infinity", change{method: "PUT", target: "/d/sé/new", status: 423, opened: 201}},
		{"§7.4 COPY into a locked tree", "/d", "infinity", change{method: "COPY", target: "/e", destination: "/d/sé/e", status: 423, opened: 201}},
		{"§9.6.1 DELETE of what holds a locked file", "/d/sé/yé", "0", change{method: "DELETE", target: "/d/sé", status: 207, opened: 204}},
		{"§9.9 MOVE of what holds a locked file", "/d/sé/yé", "0", change{method: "MOVE", target: "/d/sé", destination: "/moved", status: 207, opened: 201}},
		{"§9.8 COPY onto what holds a locked file", "/d/sé/yé", "0", change{method: "COPY", target: "/e", destination: "/d/sé", status: 207, opened: 204}},
		{"§9.10 LOCK of what holds a locked file", "/d/sé/yé", "0", change{method: "LOCK", target: "/d/sé", status: 207, opened: 207}},
	}
	systems := map[string]func() webdav.LockSystem{
		"lock.Manager": func() webdav.LockSystem { return nil },
		"x/net":        webdav.NewMemLS,
	}
	for system, newSystem := range systems {
		for _, a := range aliasedShares {
			for _, c := range changes {
				for _, direction := range []string{"locked by its name", "locked by the other name"} {
					t.Run(strings.Join([]string{system, a.name, c.name, direction}, "/"), func(t *testing.T) {
						s := a.open(t, &dav.Handler{LockSystem: newSystem()})
						lockName, used := c.lock, a.alias
						if direction == "locked by the other name" {
							lockName, used = a.alias(c.lock), func(name string) string { return name }
						}
						token := s.lock(escape(lockName), "Depth: "+c.depth)
						request := func(fields ...string) answer {
							fields = append(fields, c.fields...)
							if c.destination != "" {
								destination := c.destination
								if strings.HasPrefix(destination, "/d") {
									destination = used(destination)
								}
								fields = append(fields, "Destination: "+escape(destination))
							}
							target, body := c.target, ""
							if strings.HasPrefix(target, "/d") {
								target = used(target)
							}
							switch c.method {
							case "PUT", "PATCH":
								body = "new"
							case "PROPPATCH":
								body = `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">new</x></prop></set></propertyupdate>`
							case "LOCK":
								body = lockBody
							}
							return s.send(c.method, escape(target), body, fields...)
						}
						before := s.tree()
						status := c.status
						if system == "x/net" && status == 207 {
							status = 423 // a 207 can't name these members
						}
						if got := request(); got.status != status {
							t.Fatalf("without the token: %d %s, want %d", got.status, got.body, status)
						}
						if status >= 400 || status == 207 {
							s.holds(before)
						}
						tag := "<" + s.server.URL + escape(used(c.lock)) + "> (<" + token + ">)"
						opened := c.opened
						if system == "x/net" && opened == 207 && c.method == "LOCK" {
							opened = 423
						}
						if got := request("If: " + tag); got.status != opened {
							t.Errorf("with the token: %d %s, want %d", got.status, got.body, opened)
						}
					})
				}
			}
		}
	}
}

// escape returns name as a URL path.
func escape(name string) string {
	var escaped strings.Builder
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x80 {
			const hex = "0123456789ABCDEF"
			escaped.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			escaped.WriteByte(c)
		}
	}
	return escaped.String()
}

// TestLockSeenByAnotherName checks that a lock can be shown, refreshed and removed
// under each name (RFC 4918 §15.8, §9.10.2, §9.11).
func TestLockSeenByAnotherName(t *testing.T) {
	for _, a := range aliasedShares {
		for _, names := range [][2]string{{"/d", a.alias("/d")}, {a.alias("/d"), "/d"}, {"/d/xé", a.alias("/d/xé")}, {a.alias("/d/xé"), "/d/xé"}} {
			t.Run(a.name+" "+names[0], func(t *testing.T) {
				s := a.open(t, &dav.Handler{})
				token := s.lock(escape(names[0]))
				const body = `<propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>`
				for _, name := range names {
					a := s.sends(207, "PROPFIND", escape(name), body, "Depth: 0")
					if !strings.Contains(a.body, token) {
						t.Errorf("PROPFIND %s does not show the lock: %s", name, a.body)
					}
				}
				a := s.sends(207, "PROPFIND", "/", body, "Depth: infinity")
				if shown := strings.Count(a.body, token); shown < 1 {
					t.Errorf("a listing shows the lock %d times: %s", shown, a.body)
				}
				s.wants(200, "LOCK", escape(names[1]), "If: (<"+token+">)")
				s.wants(204, "UNLOCK", escape(names[1]), "Lock-Token: <"+token+">")
				s.sends(204, "PUT", escape("/d/xé"), "new")
			})
		}
	}
}

// TestPropertiesByAnotherName checks that a resource has the same dead properties under
// each name.
func TestPropertiesByAnotherName(t *testing.T) {
	for _, a := range aliasedShares {
		t.Run(a.name, func(t *testing.T) {
			s := a.open(t, &dav.Handler{})
			s.patch(escape(a.alias("/d/xé")), `<D:set><D:prop><x xmlns="urn:x">there</x></D:prop></D:set>`)
			for _, name := range []string{"/d/xé", a.alias("/d/xé")} {
				got := s.sends(207, "PROPFIND", escape(name), `<propfind xmlns="DAV:"><prop><x xmlns="urn:x"/></prop></propfind>`, "Depth: 0")
				if !strings.Contains(got.body, "there") {
					t.Errorf("%s: %s", name, got.body)
				}
			}
			for _, name := range []string{"/d", a.alias("/d"), "/"} {
				got := s.sends(207, "PROPFIND", escape(name), "", "Depth: infinity")
				if !strings.Contains(got.body, "there") {
					t.Errorf("a listing of %s: %s", name, got.body)
				}
			}
			s.wants(201, "MOVE", escape(a.alias("/d/xé")), "Destination: "+escape(a.alias("/d/new")))
			got := s.sends(207, "PROPFIND", "/d/new", "", "Depth: 0")
			if !strings.Contains(got.body, "there") {
				t.Errorf("after a MOVE: %s", got.body)
			}
			s.wants(204, "DELETE", "/d/new")
			s.sends(201, "PUT", escape(a.alias("/d/new")), "other")
			if got := s.sends(207, "PROPFIND", "/d/new", "", "Depth: 0"); strings.Contains(got.body, "there") {
				t.Errorf("a new file has the properties of an old one: %s", got.body)
			}
		})
	}
}

// TestOverlapByAnotherName checks that the overlap of a source and destination is
// detected under each name (RFC 4918 §9.8.5, §9.9.4), and that nothing changes.
func TestOverlapByAnotherName(t *testing.T) {
	for _, a := range aliasedShares {
		for _, method := range []string{"COPY", "MOVE"} {
			for _, c := range []struct{ src, dst string }{
				{"/d", "/d/new"}, {"/d", "/d/sé"}, {"/d/sé", "/d/sé/new"}, {"/d/xé", "/d/xé"}, {"/d", "/d"},
			} {
				if method == "MOVE" && c.src == c.dst && !strings.HasPrefix(a.name, "through") {
					continue // another spelling: TestRespell
				}
				t.Run(a.name+"/"+method+" "+c.src+" to "+c.dst, func(t *testing.T) {
					s := a.open(t, &dav.Handler{})
					before := s.tree()
					s.wants(403, method, escape(a.alias(c.src)), "Destination: "+escape(c.dst))
					s.wants(403, method, escape(c.src), "Destination: "+escape(a.alias(c.dst)))
					s.holds(before)
				})
			}
		}
	}
}

// TestRespell checks that a MOVE can change the spelling of a name on a file system
// that folds names, and that the resource keeps its locks and properties.
func TestRespell(t *testing.T) {
	s := openFolding(t, &dav.Handler{})
	s.patch("/e/", `<D:set><D:prop><x xmlns="urn:x">there</x></D:prop></D:set>`)
	s.wants(201, "MOVE", "/e", "Destination: /E", "Overwrite: F")
	s.holds(layout{"/d/xé": "old", "/d/sé/yé": "old", "/E/zé": "other", "/f": "file"}.full())
	if a := s.sends(207, "PROPFIND", "/e", "", "Depth: 0"); !strings.Contains(a.body, "there") {
		t.Errorf("the property has gone: %s", a.body)
	}
	token := s.lock("/F")
	s.wants(423, "MOVE", "/f", "Destination: /F")
	s.wants(201, "MOVE", "/f", "Destination: /F", "If: (<"+token+">)")
	s.wants(403, "COPY", "/F", "Destination: /f")
	s.wants(403, "MOVE", "/E", "Destination: /e/new")
	s.wants(207, "PROPFIND", "/", "Depth: 1")
}

// TestSameKey checks that two resources with the same key share a lock, but nothing
// more.
func TestSameKey(t *testing.T) {
	s := serve(t, foldingFS{webdav.NewMemFS()}, &dav.Handler{}, layout{"/straße": "one", "/strasse": "two"})
	token := s.lock(escape("/straße"))
	s.sends(423, "PUT", "/strasse", "new")
	s.wants(204, "UNLOCK", escape("/straße"), "Lock-Token: <"+token+">")
	s.wants(412, "MOVE", escape("/straße"), "Destination: /strasse", "Overwrite: F")
	s.wants(204, "COPY", escape("/straße"), "Destination: /strasse")
	s.holds(layout{"/straße": "one", "/strasse": "one"}.full())
	s.wants(204, "MOVE", escape("/straße"), "Destination: /strasse")
	s.holds(layout{"/strasse": "one"}.full())
}

// TestLockAboveLink checks that a lock on a collection also protects the targets of
// links in it against access through those links, and that its token allows such access
// (RFC 4918 §7.4).
func TestLockAboveLink(t *testing.T) {
	for _, newSystem := range []func() webdav.LockSystem{func() webdav.LockSystem { return nil }, webdav.NewMemLS} {
		s := serveLocal(t, &dav.Handler{LockSystem: newSystem()}, layout{"/d/x": "old", "/e/z": "old"})
		s.link("../e", "/d/l")
		token := s.lock("/d")
		for _, c := range [][2]string{{"PUT", "/d/l/z"}, {"PUT", "/d/l/new"}, {"MKCOL", "/d/l/c"}, {"PROPPATCH", "/d/l/z"}, {"DELETE", "/d/l/z"}, {"DELETE", "/d/l"}} {
			body := "new"
			switch c[0] {
			case "PROPPATCH":
				body = `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">new</x></prop></set></propertyupdate>`
			case "MKCOL", "DELETE":
				body = ""
			}
			s.sends(423, c[0], c[1], body)
			if a := s.send(c[0], c[1], body, "If: <"+s.server.URL+"/d/> (<"+token+">)"); a.status/100 != 2 {
				t.Errorf("%s %s with the token is %d: %s", c[0], c[1], a.status, a.body)
			}
			if c[0] == "PUT" && c[1] == "/d/l/z" {
				s.sends(204, "PUT", c[1], "new", "If: (<"+token+">)")
			}
		}
		s.sends(201, "PUT", "/e/free", "new")
	}
}

// TestReservedByAnotherName checks that clients can't reach reserved resources under
// another name.
func TestReservedByAnotherName(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{"/.davd-x/secret": "secret", "/.DAV/secret": "secret", "/f": "file"})
	s.link(".davd-x", "/l")
	s.link(".davd-x/secret", "/ls")
	s.link(".", "/here")
	s.link("here/.DAV", "/dav")
	for _, name := range []string{"/l", "/l/secret", "/ls", "/here/.davd-x/secret", "/dav/secret", "/.dav/secret", "/.DAV./secret", "/.dav::$DATA"} {
		for _, method := range []string{"GET", "HEAD", "PROPFIND", "PROPPATCH", "PUT", "DELETE", "MKCOL", "LOCK", "COPY", "MOVE", "OPTIONS"} {
			body := ""
			switch method {
			case "PROPPATCH":
				body = `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">new</x></prop></set></propertyupdate>`
			case "LOCK":
				body = lockBody
			}
			a := s.send(method, name, body, "Depth: infinity", "Destination: /copied")
			ofLink := (name == "/l" || name == "/ls") && (method == "DELETE" || method == "MKCOL")
			if a.status/100 == 2 && method != "OPTIONS" && !ofLink || strings.Contains(a.body, "secret<") || a.body == "secret" {
				t.Errorf("%s %s is %d: %s", method, name, a.status, a.body)
			}
		}
		s.send("COPY", "/f", "", "Destination: "+name)
	}
	if a := s.wants(207, "PROPFIND", "/", "Depth: infinity"); strings.Contains(a.body, "secret") || strings.Contains(a.body, "/dav/") {
		t.Errorf("a listing shows what is reserved: %s", a.body)
	}
	for _, name := range []string{"/.davd-x/secret", "/.DAV/secret"} {
		if got := s.content(name); got != "secret" {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// TestMoveIntoItselfThroughLink checks that such a MOVE is refused as an overlap (RFC
// 4918 §9.9.4).
func TestMoveIntoItselfThroughLink(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{"/d/x": "x", "/d/s/y": "y"})
	s.link("d", "/l")
	s.link("s", "/d/ls")
	before := s.tree()
	for _, c := range [][2]string{{"/d", "/l/new"}, {"/d", "/d/ls/new"}, {"/d", "/l/s/new"}, {"/d", "/l"}, {"/l", "/d"}, {"/l", "/d/new"}, {"/l", "/l/new"}, {"/d/s", "/d/ls/new"}, {"/d/s", "/l/s/new"}, {"/d", "/l/ls/new"}} {
		for _, method := range []string{"MOVE", "COPY"} {
			s.wants(403, method, c[0], "Destination: "+c[1])
		}
	}
	s.holds(before)
}

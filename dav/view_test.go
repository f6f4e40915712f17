package dav_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
)

// serveView serves l. Users have their homes at /, and beside it /photos, and /tasks, which is a part of
// a tree.
func serveView(t *testing.T, l layout) *share {
	t.Helper()
	h := &dav.Handler{Principal: func(r *http.Request) string { return r.Header.Get("User") }}
	h.View = func(ctx context.Context) *dav.View {
		user := storage.PrincipalOf(ctx)
		if user == "" {
			return nil
		}
		v, err := dav.NewView(dav.MountPoint{At: "/", Name: "/home/" + user}, dav.MountPoint{At: "/photos", Name: "/photos"},
			dav.MountPoint{At: "/tasks", Name: "/team/tasks"}, dav.MountPoint{At: "/gone", Name: "/gone"})
		if err != nil {
			t.Error(err)
		}
		return v
	}
	return serveLocal(t, h, l)
}

func hrefs(s *share, a answer) []string {
	s.Helper()
	found := s.multistatus(a).hrefs
	slices.Sort(found)
	return found
}

// TestView: names in requests and answers are those of the user's own table of mount points.
func TestView(t *testing.T) {
	l := layout{
		"/home/ann/f": "f", "/home/ann/sub/g": "g", "/home/ann/photos/shadowed": "x", "/home/bob/secret": "x",
		"/photos/p": "p", "/photos/sub/q": "q", "/team/tasks/w": "w", "/team/other": "o",
	}
	s := serveView(t, l)
	const ann = "User: ann"
	for depth, want := range map[string][]string{
		"0": {"/"},
		"1": {"/", "/f", "/photos/", "/sub/", "/tasks/"},
		"infinity": {
			"/", "/f", "/photos/", "/photos/p", "/photos/sub/", "/photos/sub/q", "/sub/", "/sub/g", "/tasks/", "/tasks/w",
		},
	} {
		if got := hrefs(s, s.wants(207, "PROPFIND", "/", ann, "Depth: "+depth)); !slices.Equal(got, want) {
			t.Errorf("Depth %s: %v, want %v", depth, got, want)
		}
	}
	for target, want := range map[string][]string{
		"/photos/": {"/photos/", "/photos/p", "/photos/sub/"}, "/tasks": {"/tasks/", "/tasks/w"}, "/sub/": {"/sub/", "/sub/g"},
	} {
		a := s.wants(207, "PROPFIND", target, ann, "Depth: 1")
		if got := hrefs(s, a); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", target, got, want)
		}
		if location := a.header.Get("Content-Location"); !strings.HasSuffix(target, "/") && location != target+"/" {
			t.Errorf("%s: Content-Location %q", target, location)
		}
	}
	index := s.wants(200, "GET", "/", ann).body
	for name, want := range map[string]bool{`"./f"`: true, `"./photos/"`: true, `"./tasks/"`: true, "gone": false, "home": false, "../": false, "ann": false} {
		if strings.Contains(index, name) != want {
			t.Errorf("the index shows %s: %v", name, !want)
		}
	}
	// The names of others, and those of the storage, mean nothing here.
	s.wants(404, "GET", "/home/bob/secret", ann)
	s.wants(404, "GET", "/team/other", ann)
	s.wants(404, "GET", "/photos/shadowed", ann)
	s.wants(200, "GET", "/home/bob/secret") // no view
	if got := s.wants(200, "GET", "/photos/p", ann).body; got != "p" {
		t.Error(got)
	}
	s.holds(l)

	// A mount point can't be removed, moved or replaced.
	for _, target := range []string{"/", "/photos/", "/tasks/", "/tasks", "/gone"} {
		s.wants(403, "DELETE", target, ann)
		s.wants(403, "MOVE", target, ann, "Destination: /new")
		if target != "/" {
			s.wants(403, "COPY", "/f", ann, "Destination: "+target)
			s.wants(403, "MOVE", "/f", ann, "Destination: {server}"+target)
		}
	}
	s.holds(l)

	// Destinations, also between trees.
	s.wants(201, "COPY", "/photos/sub/", ann, "Destination: {server}/copied")
	s.wants(201, "MOVE", "/f", ann, "Destination: /photos/moved")
	s.sends(201, "PUT", "/tasks/new", "n", ann)
	s.wants(201, "MKCOL", "/made/", ann)
	want := layout{"/home/ann/copied/q": "q", "/photos/moved": "f", "/team/tasks/new": "n", "/home/ann/made/": ""}
	for name, content := range l {
		if name != "/home/ann/f" {
			want[name] = content
		}
	}
	s.holds(want)
}

// TestViewOfLocks: tokens, tagged lists, lock roots and failures have the user's names, and a lock
// root that the user has no name for is not shown.
func TestViewOfLocks(t *testing.T) {
	s := serveView(t, layout{"/home/ann/f": "f", "/photos/p": "p", "/photos/sub/q": "q", "/team/tasks/w": "w"})
	const ann = "User: ann"
	a := s.sends(200, "LOCK", "/photos/sub/q", lockBody, ann)
	if !strings.Contains(a.body, "<D:href>/photos/sub/q</D:href>") {
		t.Error(a.body)
	}
	token := strings.Trim(a.header.Get("Lock-Token"), "<>")
	s.sends(423, "PUT", "/photos/sub/q", "x", ann)
	s.sends(204, "PUT", "/photos/sub/q", "x", ann, "If: </photos/sub/q> (<"+token+">)")
	s.sends(412, "PUT", "/photos/sub/q", "x", ann, "If: </sub/q> (<"+token+">)")
	s.failures(s.do("DELETE", "/photos/sub/", ann), map[string]int{"/photos/sub/q": 423})
	a = s.sends(200, "LOCK", "/f", lockBody, ann)
	if !strings.Contains(a.body, "<D:href>/f</D:href>") {
		t.Error(a.body)
	}
	if a := s.sends(423, "PUT", "/f", "x", ann); !strings.Contains(a.body, "<D:href>/f</D:href>") {
		t.Error(a.body)
	}
	s.lock("/team/") // a client without a view
	const query = `<D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/></D:prop></D:propfind>`
	if a := s.send("PROPFIND", "/tasks/w", query, ann, "Depth: 0"); !strings.Contains(a.body, "<D:lockroot/>") || strings.Contains(a.body, "team") {
		t.Error(a.body)
	}
	if a := s.sends(423, "PUT", "/tasks/w", "x", ann); !strings.Contains(a.body, "<D:href>/tasks/w</D:href>") {
		t.Error(a.body)
	}
	patch := `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="y">z</x></D:prop></D:set></D:propertyupdate>`
	if a := s.sends(207, "PROPPATCH", "/photos/p", patch, ann); !strings.Contains(a.body, "<D:href>/photos/p</D:href>") {
		t.Error(a.body)
	}
}

// TestViewOfOperations: status documents have the user's names.
func TestViewOfOperations(t *testing.T) {
	s := serveView(t, layout{"/home/ann/f": "f", "/photos/p": "p"})
	a := s.wants(202, "COPY", "/f", "User: ann", "Destination: /photos/copied", "Prefer: respond-async, wait=0")
	for _, body := range []string{a.body, s.wants(200, "GET", a.header.Get("Location"), "User: ann", "Accept: application/json").body} {
		if strings.Contains(body, "home") || !strings.Contains(body, `"/f"`) || !strings.Contains(body, `"/photos/copied"`) {
			t.Error(body)
		}
	}
	if list := s.wants(200, "GET", "/.davd-operations/", "User: ann", "Accept: application/json").body; strings.Contains(list, "home") {
		t.Error(list)
	}
}

// TestNewViewErrors: a view needs a tree at /, and one for each other mount point.
func TestNewViewErrors(t *testing.T) {
	for name, points := range map[string][]dav.MountPoint{
		"nothing":  nil,
		"no root":  {{At: "/a", Name: "/a"}},
		"twice":    {{At: "/", Name: "/a"}, {At: "/b", Name: "/b"}, {At: "b/", Name: "/c"}},
		"deep":     {{At: "/", Name: "/a"}, {At: "/b/c", Name: "/b"}},
		"reserved": {{At: "/", Name: "/a"}, {At: "/.davd-x", Name: "/b"}},
	} {
		if _, err := dav.NewView(points...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

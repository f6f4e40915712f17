package dav_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
)

// serveRights serves l from a directory with rights. The header User names the principal of a
// request, and At-Most the rights of its login.
func serveRights(tb testing.TB, l layout, shares ...access.Share) (*share, *access.FS) {
	tb.Helper()
	h := &dav.Handler{
		Principal: func(r *http.Request) string { return r.Header.Get("User") },
		Challenge: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
		},
	}
	s := serveLocal(tb, h, l)
	rights := access.New(h.FileSystem, rightsPolicy(tb, shares...))
	h.FileSystem = rights
	s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if most := r.Header.Get("At-Most"); most != "" {
			rights, err := storage.ParseRights(most)
			if err != nil {
				panic(err)
			}
			r = r.WithContext(storage.WithRightsAtMost(r.Context(), rights))
		}
		h.ServeHTTP(w, r)
	})
	return s, rights
}

func rightsPolicy(tb testing.TB, shares ...access.Share) *access.Policy {
	tb.Helper()
	p, err := access.NewPolicy(shares, map[string][]string{"ann": {"family"}, "bob": {"family"}})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// rights parses one letter for each right: list, read, create, write, delete and k for lock.
func rightsOf(tb testing.TB, letters string) (rights storage.Right) {
	tb.Helper()
	for _, letter := range letters {
		i := strings.IndexRune("lrcwdk", letter)
		if i < 0 {
			tb.Fatalf("%q", letters)
		}
		rights |= 1 << i
	}
	return rights
}

// rightsSite are the shares of the table test.
func rightsSite() []access.Share {
	return []access.Share{
		{At: "/home/{user}"},
		{At: "/shared", Rules: []access.Rule{
			{Path: "/", Subject: access.Users(), Rights: storage.RightsRead},
			{Path: "/", Subject: access.Group("family"), Rights: storage.RightsWrite},
			{Path: "/private", Subject: access.Users(), Rights: storage.RightsNone},
			{Path: "/private", Subject: access.User("ann"), Rights: storage.RightsWrite},
		}},
		{At: "/public", Rules: []access.Rule{
			{Path: "/", Subject: access.Anyone(), Rights: storage.RightsRead},
			{Path: "/", Subject: access.User("ann"), Rights: storage.RightsAdd},
		}},
		{At: "/drop", Rules: []access.Rule{{Path: "/", Subject: access.Anyone(), Rights: storage.RightCreate}}},
		{At: "/all", Rules: []access.Rule{{Path: "/", Subject: access.Anyone(), Rights: storage.RightsWrite}}},
	}
}

// cell is a kind of request for a collection that contains the file f and the collection sub.
type cell struct {
	name, method, target string
	// need are the rights that it needs, as letters.
	need string
	body string
	// destination is relative to the collection, or a path.
	fields []string
	// to says that the collection is that of the destination. A refusal is then a 403.
	to     bool
	status int
}

func cells() []cell {
	const patch = `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="y">z</x></D:prop></D:set></D:propertyupdate>`
	range1 := []string{"Content-Type: application/x-sabredav-partialupdate", "X-Update-Range: bytes=0-0"}
	return []cell{
		{name: "GET", method: "GET", target: "f", need: "r", status: 200},
		{name: "HEAD", method: "HEAD", target: "f", need: "r", status: 200},
		{name: "GET of a part", method: "GET", target: "f", need: "r", fields: []string{"Range: bytes=0-0"}, status: 206},
		{name: "GET of a collection", method: "GET", target: "", need: "l", status: 200},
		{name: "PROPFIND", method: "PROPFIND", target: "f", need: "", fields: []string{"Depth: 0"}, status: 207},
		{name: "PROPFIND of members", method: "PROPFIND", target: "", need: "l", fields: []string{"Depth: 1"}, status: 207},
		{name: "PROPFIND of all", method: "PROPFIND", target: "", need: "l", fields: []string{"Depth: infinity"}, status: 207},
		{name: "PUT", method: "PUT", target: "new", need: "c", body: "x", status: 201},
		{name: "PUT over a file", method: "PUT", target: "f", need: "w", body: "x", status: 204},
		{name: "PUT in steps", method: "PUT", target: "new", need: "c", body: "x", fields: []string{"Expect: 100-continue"}, status: 201},
		{name: "PATCH", method: "PATCH", target: "f", need: "w", body: "x", fields: range1, status: 204},
		{name: "MKCOL", method: "MKCOL", target: "new/", need: "c", status: 201},
		{name: "DELETE", method: "DELETE", target: "f", need: "d", status: 204},
		{name: "DELETE of a collection", method: "DELETE", target: "sub/", need: "d", status: 204},
		{name: "COPY from", method: "COPY", target: "f", need: "r", fields: []string{"Destination: /all/new"}, status: 201},
		{name: "COPY of a collection from", method: "COPY", target: "sub/", need: "lr", fields: []string{"Destination: /all/new"}, status: 201},
		{name: "COPY to", method: "COPY", target: "new", need: "c", to: true, status: 201},
		{name: "COPY over", method: "COPY", target: "f", need: "cd", to: true, status: 204},
		{name: "MOVE from", method: "MOVE", target: "f", need: "lrd", fields: []string{"Destination: /all/new"}, status: 201},
		{name: "MOVE of a collection from", method: "MOVE", target: "sub/", need: "lrd", fields: []string{"Destination: /all/new"}, status: 201},
		{name: "MOVE to", method: "MOVE", target: "new", need: "c", to: true, status: 201},
		{name: "MOVE over", method: "MOVE", target: "f", need: "cd", to: true, status: 204},
		{name: "LOCK", method: "LOCK", target: "f", need: "k", body: lockBody, status: 200},
		{name: "LOCK of all", method: "LOCK", target: "", need: "k", body: lockBody, status: 200},
		{name: "LOCK of a new name", method: "LOCK", target: "new", need: "ck", body: lockBody, status: 201},
		{name: "PROPPATCH", method: "PROPPATCH", target: "f", need: "w", body: patch, status: 207},
	}
}

// TestRightsTable: users × places × methods. Each request needs its rights and no others. Without
// them, a client without a name is asked for one, a user gets a 404 where nothing can be seen and
// a 403 elsewhere, and nothing changes.
func TestRightsTable(t *testing.T) {
	for _, tt := range []struct {
		place string
		// rights of ann, of bob, of eve, of a client without a name, and of a login of ann that
		// only reads.
		ann, bob, eve, nobody, reader string
	}{
		{"/home/ann", "lrcwdk", "", "", "", "lr"},
		{"/home/bob", "", "lrcwdk", "", "", ""},
		{"/shared", "lrcwdk", "lrcwdk", "lr", "", "lr"},
		{"/shared/private", "lrcwdk", "", "", "", "lr"},
		{"/public", "lrc", "lr", "lr", "lr", "lr"},
		{"/drop", "c", "c", "c", "c", "!"},
		{"/nowhere", "", "", "", "", ""},
	} {
		for who, letters := range map[string]string{"ann": tt.ann, "bob": tt.bob, "eve": tt.eve, "": tt.nobody, "reader": tt.reader} {
			t.Run(tt.place+" "+who, func(t *testing.T) { testRights(t, tt.place, who, letters) })
		}
	}
}

func testRights(t *testing.T, place, who, letters string) {
	t.Helper()
	seen := letters != ""
	rights := rightsOf(t, strings.TrimSuffix(letters, "!"))
	fields := []string{"User: " + who}
	switch who {
	case "":
		fields = nil
	case "reader":
		fields = []string{"User: ann", "At-Most: read"}
	}
	l := layout{"/all/f": "all", "/home/ann/f": "x", "/home/bob/f": "x", "/shared/f": "x", "/shared/private/f": "x", "/public/f": "x", "/drop/f": "x", "/nowhere/f": "x"}
	l[place+"/sub/deep/f"] = "x"
	s, _ := serveRights(t, l, rightsSite()...)
	before, locked := s.tree(), false
	for _, c := range cells() {
		if locked || !maps.Equal(before, s.tree()) {
			// An earlier cell was allowed to change something.
			s, _ = serveRights(t, l, rightsSite()...)
		}
		target, all := place+"/"+c.target, slices.Concat(fields, c.fields)
		need := rightsOf(t, c.need)
		enough := rights.Has(need) && seen
		if place == "/shared" && who == "bob" && (c.name == "LOCK of all") {
			enough = false // not all members can be locked: private
		}
		want := c.status
		if c.to {
			all = append(all, "Destination: "+target)
			target = "/all/f"
			if who == "reader" {
				enough = false
			}
		}
		switch {
		case who == "reader" && c.fields != nil && strings.HasPrefix(c.fields[len(c.fields)-1], "Destination"):
			// Its login can't write to /all either.
			enough = false
			want = http.StatusForbidden
			if !seen {
				want = http.StatusNotFound
			}
		case enough:
		case who == "":
			want = http.StatusUnauthorized
		case !seen && !c.to:
			want = http.StatusNotFound
		default:
			want = http.StatusForbidden
		}
		a := s.send(c.method, target, c.body, all...)
		if a.status != want {
			t.Errorf("%s of %s by %q with %q is %d, want %d: %s", c.name, place, who, letters, a.status, want, a.body)
		}
		locked = a.status/100 == 2 && c.method == "LOCK"
		if !enough && !maps.Equal(before, s.tree()) {
			t.Errorf("%s of %s by %q is %d, but changed something", c.name, place, who, a.status)
		}
	}
}

// TestRightsSpellings: no spelling of a name and no link leads around a rule.
func TestRightsSpellings(t *testing.T) {
	s, _ := serveRights(t, layout{"/pub/f": "f", "/private/f": "secret", "/pub/Mu\u0308ll/f": "secret", "/pub/sub/f": "f"},
		access.Share{At: "/", Rules: []access.Rule{
			{Path: "/private", Subject: access.Users(), Rights: storage.RightsNone},
			{Path: "/pub/M\u00fcll", Subject: access.Users(), Rights: storage.RightsNone},
		}})
	for link, target := range map[string]string{"l": "../private", "file": "../private/f", "up": "..", "twice": "l"} {
		if err := os.Symlink(target, filepath.Join(s.dir, "pub", link)); err != nil {
			t.Fatal(err)
		}
	}
	before := s.tree()
	for _, target := range []string{
		"/private/f", "/private/f/", "/private/./f", "/pub/../private/f", "/private%2ff", "/private%2Ff", "//private//f", "/%70rivate/f",
		"/pub/%2e%2e/private/f", "/pub/l/f", "/pub/l//f", "/pub/file", "/pub/twice/f", "/pub/up/private/f", "/pub/up/pub/l/f", "/PRIVATE/f",
		"/Private./f", "/pub/Mu%CC%88ll/f", "/pub/M%C3%BCll/f", "/pub/M%C3%9CLL/f",
	} {
		for _, method := range []string{"GET", "HEAD", "PROPFIND", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "LOCK", "PROPPATCH", "UNLOCK", "POST"} {
			if method == "DELETE" || method == "MOVE" {
				if target == "/pub/file" {
					continue // that is the link itself
				}
			}
			a := s.send(method, target, "", "User: ann", "Destination: /pub/new")
			if a.status != http.StatusNotFound && a.status != http.StatusForbidden {
				t.Errorf("%s %s is %d: %s", method, target, a.status, a.body)
			}
			if strings.Contains(a.body, "secret") {
				t.Errorf("%s %s: %s", method, target, a.body)
			}
		}
		for _, method := range []string{"COPY", "MOVE"} {
			if strings.HasPrefix(target, "//") {
				break // a Destination like this names another host
			}
			if a := s.send(method, "/pub/f", "", "User: ann", "Destination: "+strings.TrimSuffix(target, "/f")+"/new"); a.status != http.StatusForbidden {
				t.Errorf("%s to %s is %d: %s", method, target, a.status, a.body)
			}
		}
		if a := s.send("PUT", strings.TrimSuffix(target, "/f")+"/new", "x", "User: ann"); a.status/100 != 4 {
			if strings.HasSuffix(target, "/f") {
				t.Errorf("PUT beside %s is %d", target, a.status)
			}
		}
	}
	delete(before, "/pub/file/new")
	s.holds(before)
	// Nothing that a listing shows gives the hidden names away, also not by links.
	for _, target := range []string{"/", "/pub/"} {
		a := s.wants(207, "PROPFIND", target, "User: ann", "Depth: infinity")
		for _, hidden := range []string{"private", "/l", "file", "twice", "ll"} {
			for _, href := range s.multistatus(a).hrefs {
				if strings.HasSuffix(strings.TrimSuffix(href, "/"), hidden) {
					t.Errorf("PROPFIND %s shows %s", target, href)
				}
			}
		}
		if index := s.wants(200, "GET", target, "User: ann"); strings.Contains(index.body, "private") {
			t.Errorf("the index of %s: %s", target, index.body)
		}
	}
}

// TestRightsOfTrees: scenarios where known servers take along members without looking at them.
func TestRightsOfTrees(t *testing.T) {
	site := []access.Share{
		{At: "/home/{user}"},
		{At: "/team", Rules: []access.Rule{
			{Path: "/", Subject: access.Group("family"), Rights: storage.RightsWrite},
			{Path: "/payroll", Subject: access.Group("family"), Rights: storage.RightsNone},
			{Path: "/payroll", Subject: access.User("ann"), Rights: storage.RightsWrite},
			{Path: "/d/private", Subject: access.Group("family"), Rights: storage.RightsRead},
			{Path: "/new/private", Subject: access.Group("family"), Rights: storage.RightsNone},
		}},
	}
	l := layout{"/home/bob/s/a": "a", "/home/bob/s/private/b": "b", "/team/x/payroll/p": "p", "/team/payroll/p": "p", "/team/d/a": "old", "/team/d/private/b": "old"}
	s, _ := serveRights(t, l, site...)
	for _, tt := range []struct {
		status             int
		method, target, to string
	}{
		{403, "MOVE", "/team/", "/home/bob/team"},
		{403, "DELETE", "/team/", ""},
		{403, "DELETE", "/team/d/", ""},
		{403, "MOVE", "/team/d/", "/home/bob/d"},
		{403, "COPY", "/home/bob/s/", "/team/d"},
		{403, "MOVE", "/home/bob/s/", "/team/d"},
		{403, "MOVE", "/home/bob/s/", "/team/new"},
		{403, "COPY", "/home/bob/s/", "/team/payroll"},
		{404, "COPY", "/team/payroll/", "/home/bob/p"},
		{404, "LOCK", "/team/payroll/", ""},
	} {
		fields := []string{"User: bob"}
		if tt.to != "" {
			fields = append(fields, "Destination: "+tt.to)
		}
		body := ""
		if tt.method == "LOCK" {
			body = lockBody
		}
		s.sends(tt.status, tt.method, tt.target, body, fields...)
		s.holds(l)
	}
	// A copy takes what may be read, and to where something may be made.
	a := s.wants(207, "COPY", "/home/bob/s/", "User: bob", "Destination: /team/new")
	s.failures(a, map[string]int{"/home/bob/s/private/": 403})
	s.wants(201, "COPY", "/team/", "User: bob", "Destination: /home/bob/team")
	want := maps.Clone(l)
	for name, content := range l {
		if in, found := strings.CutPrefix(name, "/team/"); found && !strings.HasPrefix(in, "payroll") {
			want["/home/bob/team/"+in] = content
		}
	}
	want["/team/new/a"], want["/home/bob/team/new/a"] = "a", "a"
	s.holds(want)
	// Ann may take along everything except what is denied to all.
	s.wants(403, "DELETE", "/team/", "User: ann")
	s.wants(204, "DELETE", "/team/payroll/", "User: ann")
}

// TestRightsOptions: Allow and current-user-privilege-set tell the truth.
func TestRightsOptions(t *testing.T) {
	s, _ := serveRights(t, layout{"/shared/f": "f", "/drop/f": "f", "/public/f": "f"}, rightsSite()...)
	const query = `<D:propfind xmlns:D="DAV:"><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>`
	for _, tt := range []struct {
		who, target, allow, privileges string
	}{
		{"bob", "/shared/f", "COPY, DELETE, GET, HEAD, LOCK, MOVE, PATCH, PROPFIND, PROPPATCH, PUT, UNLOCK", "read write write-properties write-content"},
		{"eve", "/shared/f", "COPY, GET, HEAD, PROPFIND", "read"},
		{"eve", "/shared/", "COPY, GET, HEAD, PROPFIND", "read"},
		{"bob", "/shared/", "COPY, DELETE, GET, HEAD, LOCK, MOVE, PROPFIND, PROPPATCH, UNLOCK", "read write write-properties write-content bind unbind"},
		{"bob", "/shared/new", "LOCK, MKCOL, PUT", "-"},
		{"eve", "/shared/new", "", "-"},
		{"eve", "/drop/", "PROPFIND", "bind"},
		{"eve", "/drop/new", "MKCOL, PUT", "-"},
		{"eve", "/shared/private/", "", "-"},
		{"", "/public/f", "COPY, GET, HEAD, PROPFIND", "read"},
	} {
		fields := []string{"User: " + tt.who}
		if tt.who == "" {
			fields = nil
		}
		want := "OPTIONS"
		if tt.allow != "" {
			want += ", " + tt.allow
		}
		if got := s.wants(200, "OPTIONS", tt.target, fields...).header.Get("Allow"); got != want {
			t.Errorf("OPTIONS %s by %q: %s, want %s", tt.target, tt.who, got, want)
		}
		if tt.privileges == "-" {
			continue
		}
		a := s.send("PROPFIND", tt.target, query, append(fields, "Depth: 0")...)
		got := s.multistatus(a).responses[tt.target].dav("current-user-privilege-set").inner
		var all strings.Builder
		for privilege := range strings.FieldsSeq(tt.privileges + " read-current-user-privilege-set") {
			all.WriteString("<D:privilege><D:" + privilege + "/></D:privilege>")
		}
		if want := all.String(); got != want {
			t.Errorf("privileges of %q at %s: %s, want %s", tt.who, tt.target, got, want)
		}
		if a := s.do("PROPFIND", tt.target, append(fields, "Depth: 0")...); strings.Contains(a.body, "privilege") {
			t.Errorf("allprop has privileges: %s", a.body)
		}
	}
	s.wants(401, "OPTIONS", "/")
	s.wants(401, "OPTIONS", "/shared/")
}

// TestRightsOfRoot: the root asks for a password, although public shares don't.
func TestRightsOfRoot(t *testing.T) {
	s, _ := serveRights(t, layout{"/public/f": "f", "/home/ann/f": "f", "/home/bob/f": "f", "/shared/f": "f", "/drop/": ""}, rightsSite()...)
	for _, method := range []string{"GET", "HEAD", "PROPFIND", "OPTIONS", "DELETE", "LOCK", "PUT"} {
		a := s.do(method, "/")
		if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s / is %d", method, a.status)
		}
	}
	s.wants(200, "GET", "/public/f")
	s.wants(404, "GET", "/public/missing")
	s.wants(401, "PUT", "/public/f")
	hrefs := s.multistatus(s.wants(207, "PROPFIND", "/", "User: ann", "Depth: infinity")).hrefs
	slices.Sort(hrefs)
	want := []string{"/", "/drop/", "/home/", "/home/ann/", "/home/ann/f", "/public/", "/public/f", "/shared/", "/shared/f"}
	if !slices.Equal(hrefs, want) {
		t.Errorf("ann sees %v, want %v", hrefs, want)
	}
}

// TestRightsLockRoot: a client gets to know that a resource is locked, but not where the root of
// the lock is if it may not see that.
func TestRightsLockRoot(t *testing.T) {
	s, _ := serveRights(t, layout{"/team/sub/f": "f"}, access.Share{At: "/team", Rules: []access.Rule{
		{Path: "/", Subject: access.Users(), Rights: storage.RightsWrite},
		{Path: "/sub", Subject: access.Anyone(), Rights: storage.RightsWrite},
	}})
	s.lock("/team/", "User: ann")
	const query = `<D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/></D:prop></D:propfind>`
	for who, want := range map[string]string{"User: bob": "<D:lockroot><D:href>/team/</D:href></D:lockroot>", "No: name": "<D:lockroot/>"} {
		a := s.send("PROPFIND", "/team/sub/f", query, "Depth: 0", who)
		if !strings.Contains(a.body, want) || strings.Contains(a.body, "locktoken") {
			t.Errorf("%s: %s", who, a.body)
		}
	}
	if a := s.sends(423, "PUT", "/team/sub/f", "x"); strings.Contains(a.body, ">/team/<") || !strings.Contains(a.body, ">/team/sub/f<") {
		t.Errorf("%s", a.body)
	}
	if a := s.sends(423, "PUT", "/team/sub/f", "x", "User: bob"); !strings.Contains(a.body, ">/team/<") {
		t.Errorf("%s", a.body)
	}
}

// TestRightsReason: a refusal says that a right is missing, and nothing about the storage.
func TestRightsReason(t *testing.T) {
	s, _ := serveRights(t, layout{"/shared/f": "f"}, rightsSite()...)
	for method, destination := range map[string]string{"DELETE": "", "COPY": "/shared/g", "MKCOL": ""} {
		if a := s.wants(403, method, "/shared/f", "User: eve", "Destination: "+destination); a.body != "403 Forbidden: you don't have the right to do this\n" {
			t.Errorf("%s: %q", method, a.body)
		}
	}
}

// TestRightsTaggedIf: the header If reveals nothing about a resource that the client may not see.
func TestRightsTaggedIf(t *testing.T) {
	s, _ := serveRights(t, layout{"/home/ann/f": "f", "/home/bob/f": "f"}, rightsSite()...)
	tag := s.wants(200, "HEAD", "/home/ann/f", "User: ann").header.Get("ETag")
	s.wants(412, "GET", "/home/bob/f", "User: bob", fmt.Sprintf("If: </home/ann/f> ([%s])", tag))
	s.wants(200, "GET", "/home/bob/f", "User: bob", fmt.Sprintf("If: </home/ann/f> (Not [%s])", tag))
	s.wants(200, "GET", "/home/ann/f", "User: ann", fmt.Sprintf("If: </home/ann/f> ([%s])", tag))
}

// TestRightsRevoked: an operation whose principal loses a right stops and rolls back.
func TestRightsRevoked(t *testing.T) {
	read := func(path string) access.Share {
		return access.Share{At: "/", Rules: []access.Rule{
			{Path: "/", Subject: access.Users(), Rights: storage.RightsWrite},
			{Path: path, Subject: access.Users(), Rights: storage.RightList},
		}}
	}
	l := layout{"/s/a": "a", "/s/b": "b", "/s/sub/c": "c", "/d/old": "old", "/other/f": "f"}
	for _, tt := range []struct {
		name, method string
		policy       access.Share
		known        func(context.Context, string) bool
		status       int
		async        bool
	}{
		{"source", "COPY", read("/s"), nil, 403, false},
		{"destination", "COPY", read("/d"), nil, 403, false},
		{"principal", "COPY", access.Share{At: "/"}, func(_ context.Context, who string) bool { return who != "ann" }, 403, false},
		{"something else", "COPY", read("/other"), nil, 204, false},
		{"another principal", "COPY", access.Share{At: "/"}, func(_ context.Context, who string) bool { return who != "bob" }, 204, false},
		{"no client waits", "COPY", read("/s"), nil, 403, true},
		{"a listing", "PROPFIND", access.Share{At: "/", Rules: []access.Rule{{Path: "/s", Subject: access.Users(), Rights: storage.RightsNone}}}, nil, 403, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, rights := serveRights(t, l, access.Share{At: "/"})
			ended := make(chan int, 1)
			s.h.OperationLogger = nil
			reached, leave := make(chan struct{}), make(chan struct{})
			waits := true
			s.before = func(op, name string) error {
				if waits && (op == "copymembers" || op == "readdir" && tt.method == "PROPFIND") && strings.HasPrefix(name, "/s") {
					waits = false
					close(reached)
					<-leave
				}
				return nil
			}
			fields := []string{"User: ann", "Destination: /d", "Depth: infinity"}
			if tt.async {
				fields = append(fields, "Prefer: respond-async, wait=0")
			}
			var location string
			go func() {
				a, err := send(t, s.server, tt.method, "/s/", "", fields...)
				if err != nil {
					t.Error(err)
				}
				location = a.header.Get("Location")
				ended <- a.status
			}()
			select {
			case <-reached:
			case <-time.After(10 * time.Second):
				t.Fatal("nothing happened")
			}
			rights.SetPolicy(rightsPolicy(t, tt.policy))
			s.h.Reauthorize(tt.known)
			close(leave)
			status := <-ended
			if tt.async {
				if status != http.StatusAccepted {
					t.Fatal(status)
				}
				rights.SetPolicy(rightsPolicy(t, access.Share{At: "/"}))
				for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
					if a := s.do("GET", location, "User: ann", "Accept: application/json"); !strings.Contains(a.body, `"running"`) {
						if !strings.Contains(a.body, "403") {
							t.Error(a.body)
						}
						break
					}
				}
			} else if status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			s.before = nil
			if tt.status == 403 {
				s.holds(l)
			}
		})
	}
}

// TestRightsRevokedPut: a PUT needs the right when its body has arrived, not only before.
func TestRightsRevokedPut(t *testing.T) {
	l := layout{"/s/f": "old"}
	s, rights := serveRights(t, l, access.Share{At: "/"})
	body := &pausedBody{pause: func() {
		rights.SetPolicy(rightsPolicy(t, access.Share{At: "/", Rules: []access.Rule{{Path: "/", Subject: access.Users(), Rights: storage.RightsAdd}}}))
	}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.server.URL+"/s/f", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User", "ann")
	response, err := s.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", response.StatusCode)
	}
	s.holds(l)
}

// pausedBody calls pause between its two parts.
type pausedBody struct {
	pause func()
	parts int
}

func (b *pausedBody) Read(p []byte) (int, error) {
	switch b.parts++; b.parts {
	case 1:
		return copy(p, "first"), nil
	case 2:
		time.Sleep(50 * time.Millisecond) // the server has checked the request by then
		b.pause()
		return copy(p, "second"), nil
	}
	return 0, io.EOF
}

// TestNoRights: without an access.FS, nothing is asked for and a client without a name is not
// challenged.
func TestNoRights(t *testing.T) {
	s := serveLocal(t, &dav.Handler{Challenge: func(http.ResponseWriter, *http.Request) { t.Error("challenged") }}, layout{"/f": "f"})
	s.wants(404, "GET", "/missing")
	s.wants(200, "GET", "/f")
	s.wants(403, "DELETE", "/")
}

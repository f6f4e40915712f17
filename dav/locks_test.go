package dav_test

import (
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
)

// lockCase is a request while one resource is locked.
type lockCase struct {
	name   string
	locked string   // its URL
	depth  string   // of the lock; "": infinity
	method string   // with src and dst
	src    string   //
	dst    string   // "": none
	ifs    []string // {token} is the token of the lock, {server} the URL of the server
	status int
}

func TestLocked(t *testing.T) {
	untagged, wrong := "(<{token}>)", "(<urn:wrong>)"
	for _, c := range []lockCase{
		{name: "§7.5.1 COPY of a locked source", locked: "/f", method: "COPY", src: "/f", dst: "/new", status: 201},
		{name: "§9.8.5 COPY onto a locked file", locked: "/old", method: "COPY", src: "/f", dst: "/old", status: 423},
		{name: "§10.4.1 with the token, tagged with a URL", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"<{server}/old> (<{token}>)"}, status: 204},
		{name: "§10.4.1 with the token, tagged with a path", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"</old> (<{token}>)"}, status: 204},
		{name: "with the token, not tagged", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{untagged}, status: 204},
		{name: "§10.4.1 an unknown token", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{wrong}, status: 412},
		{name: "the token, tagged with another resource", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"</o> (<{token}>)"}, status: 412},
		{name: "the token, tagged with another server", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"<http://other.test/old> (<{token}>)"}, status: 412},
		{name: "§10.4.8 always true is no token", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"(Not <DAV:no-lock>)"}, status: 423},
		{name: "§10.4.8 the token or always true", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"(<{token}>) (Not <DAV:no-lock>)"}, status: 204},
		{name: "§10.4.7 Not the token", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"</old> (Not <{token}>)"}, status: 412},
		{name: "§10.4.7 Not another token, and the token", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"</old> (Not <urn:wrong> <{token}>)"}, status: 204},
		{name: "a list that fails and one that holds", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"</old> (<urn:wrong>) (<{token}>)"}, status: 204},
		{name: "all conditions of a list must hold", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"</old> (<urn:wrong> <{token}>)"}, status: 412},
		{name: "malformed", locked: "/old", method: "COPY", src: "/f", dst: "/old", ifs: []string{"(<{token}>"}, status: 400},
		{name: "malformed, and nothing locked there", locked: "/old", method: "COPY", src: "/f", dst: "/new", ifs: []string{"{token}"}, status: 400},
		{name: "COPY into a locked collection", locked: "/o/", method: "COPY", src: "/f", dst: "/o/new", status: 423},
		{name: "COPY into a locked collection with the token", locked: "/o/", method: "COPY", src: "/f", dst: "/o/new", ifs: []string{"</o/> (<{token}>)"}, status: 201},
		{name: "COPY onto a collection with a locked member", locked: "/o/m", method: "COPY", src: "/c/", dst: "/o/", status: 207},
		{name: "COPY onto a locked collection with the token", locked: "/o/", method: "COPY", src: "/c/", dst: "/o/", ifs: []string{"</o/> (<{token}>)"}, status: 204},
		{name: "COPY next to a locked member", locked: "/o/m", method: "COPY", src: "/f", dst: "/o/new", status: 201},

		{name: "§9.9.4 MOVE of a locked file", locked: "/f", method: "MOVE", src: "/f", dst: "/new", status: 423},
		{name: "MOVE of a locked file with the token (golang/go#43556)", locked: "/f", method: "MOVE", src: "/f", dst: "/new", ifs: []string{untagged}, status: 201},
		{name: "the same, tagged", locked: "/f", method: "MOVE", src: "/f", dst: "/new", ifs: []string{"<{server}/f> (<{token}>)"}, status: 201},
		{name: "the same, onto a file", locked: "/f", method: "MOVE", src: "/f", dst: "/old", ifs: []string{untagged}, status: 204},
		{name: "MOVE of a locked file with an unknown token", locked: "/f", method: "MOVE", src: "/f", dst: "/new", ifs: []string{wrong}, status: 412},
		{name: "§9.9.4 MOVE onto a locked file", locked: "/old", method: "MOVE", src: "/f", dst: "/old", status: 423},
		{name: "MOVE onto a locked file with the token", locked: "/old", method: "MOVE", src: "/f", dst: "/old", ifs: []string{"</old> (<{token}>)"}, status: 204},
		{name: "§9.9.4 MOVE of a collection with a locked member", locked: "/c/s/d", method: "MOVE", src: "/c/", dst: "/new/", status: 207},
		{name: "MOVE of a collection with a locked collection", locked: "/c/s/", depth: "0", method: "MOVE", src: "/c/", dst: "/new/", status: 207},
		{name: "MOVE of a member of a locked collection", locked: "/c/", method: "MOVE", src: "/c/m", dst: "/new", status: 423},
		{name: "MOVE of a member of a locked collection with the token", locked: "/c/", method: "MOVE", src: "/c/m", dst: "/new", ifs: []string{"</c/> (<{token}>)"}, status: 201},
		{name: "MOVE within a locked collection with the token", locked: "/c/", method: "MOVE", src: "/c/m", dst: "/c/new", ifs: []string{"</c/> (<{token}>)"}, status: 201},
		{name: "MOVE of a locked collection with the token", locked: "/c/", method: "MOVE", src: "/c/", dst: "/new/", ifs: []string{untagged}, status: 201},
		{name: "MOVE of a collection that is locked with Depth 0, with the token", locked: "/c/", depth: "0", method: "MOVE", src: "/c/", dst: "/new/", ifs: []string{untagged}, status: 201},

		{name: "§9.6.2 DELETE of a locked file", locked: "/f", method: "DELETE", src: "/f", status: 423},
		{name: "DELETE of a locked file with the token", locked: "/f", method: "DELETE", src: "/f", ifs: []string{untagged}, status: 204},
		{name: "DELETE of a locked file with an unknown token", locked: "/f", method: "DELETE", src: "/f", ifs: []string{wrong}, status: 412},
		{name: "§9.6.1 DELETE of a collection with a locked member", locked: "/c/s/d", method: "DELETE", src: "/c/", status: 207},
		{name: "§9.6.1 the same, with the member's token", locked: "/c/s/d", method: "DELETE", src: "/c/", ifs: []string{"</c/s/d> (<{token}>)"}, status: 204},
		{name: "the same, of a locked collection below", locked: "/c/s/", method: "DELETE", src: "/c/", ifs: []string{"</c/s/> (<{token}>)"}, status: 204},
		{name: "MOVE of a collection with a locked member, with its token", locked: "/c/s/d", method: "MOVE", src: "/c/", dst: "/new/", ifs: []string{"</c/s/d> (<{token}>)"}, status: 201},
		{name: "DELETE of a locked collection with the token", locked: "/c/", method: "DELETE", src: "/c/", ifs: []string{untagged}, status: 204},
		{name: "DELETE of a member of a locked collection", locked: "/c/", method: "DELETE", src: "/c/m", status: 423},
		{name: "DELETE of a member of a locked collection with the token", locked: "/c/", method: "DELETE", src: "/c/m", ifs: []string{"</c/> (<{token}>)"}, status: 204},
		{name: "DELETE next to a locked member", locked: "/c/m", method: "DELETE", src: "/c/s/", status: 204},
		{name: "the root is locked", locked: "/", method: "DELETE", src: "/f", status: 423},
		{name: "the root is locked, with the token", locked: "/", method: "DELETE", src: "/f", ifs: []string{"</> (<{token}>)"}, status: 204},
	} {
		t.Run(c.name, func(t *testing.T) {
			// x/net's LockSystem can't tell what is locked, only that something is.
			plain := c.status
			if c.status == 207 {
				plain = 423
			}
			c.test(t, &dav.Handler{}, c.status)
			c.test(t, &dav.Handler{Prefix: "/dav"}, c.status)
			c.test(t, &dav.Handler{Prefix: "/dav", LockSystem: webdav.NewMemLS()}, plain)
		})
	}
}

// test sends the request to h and checks the status.
func (c lockCase) test(t *testing.T, h *dav.Handler, status int) {
	t.Helper()
	prefix := h.Prefix
	s := serveMem(t, h, garden())
	depth := c.depth
	if depth == "" {
		depth = "infinity"
	}
	token := s.lock(prefix+c.locked, "Depth: "+depth)
	var fields []string
	if c.dst != "" {
		fields = append(fields, "Destination: "+prefix+c.dst)
	}
	for _, value := range c.ifs {
		value = strings.NewReplacer("{token}", token, "{server}", "{server}"+prefix, "</", "<"+prefix+"/").Replace(value)
		fields = append(fields, "If: "+value)
	}
	before := s.tree()
	a := s.wants(status, c.method, prefix+c.src, fields...)
	if status == 207 {
		s.failures(a, map[string]int{prefix + c.locked: 423})
	}
	if c.status >= 400 || status == 207 {
		s.holds(before)
		// The lock still exists, and its owner can use it.
		if a := s.send("LOCK", prefix+c.locked, lockBody); a.status != http.StatusLocked {
			t.Errorf("another LOCK is %d", a.status)
		}
		s.wants(204, "UNLOCK", prefix+c.locked, "Lock-Token: <"+token+">")
	}
}

// TestLockedByTwo: the client has locked the collection, and another one has locked its
// member. One token is not enough; with both, the locks end with the resources.
func TestLockedByTwo(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
		fields []string
	}{
		{"DELETE", 204, nil},
		{"MOVE", 201, []string{"Destination: /new/"}},
	} {
		t.Run(c.method, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			mine := s.lock("/c/", "Depth: 0")
			other := s.lock("/c/m", "Depth: 0")
			before := s.tree()
			a := s.wants(207, c.method, "/c/", append(c.fields, "If: (<"+mine+">)")...)
			s.failures(a, map[string]int{"/c/m": 423})
			s.holds(before)
			s.wants(c.status, c.method, "/c/", append(c.fields, "If: </c/> (<"+mine+">) </c/m> (<"+other+">)")...)
			s.wants(201, "MKCOL", "/c/")
			s.wants(201, "COPY", "/f", "Destination: /c/m")
		})
	}
}

// TestLockedTwice: source and destination have different locks.
func TestLockedTwice(t *testing.T) {
	for _, c := range []struct {
		name, ifs string
		status    int
	}{
		{"no token", "", 423},
		{"both tokens", "</f> (<{src}>) </old> (<{dst}>)", 204},
		{"both tokens, URLs", "<{server}/f> (<{src}>) <{server}/old> (<{dst}>)", 204},
		{"both tokens, not tagged", "(<{src}>) (<{dst}>)", 204},
		{"only the source's", "</f> (<{src}>)", 423},
		{"only the destination's", "</old> (<{dst}>)", 423},
		{"crossed", "</f> (<{dst}>) </old> (<{src}>)", 412},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			src, dst := s.lock("/f"), s.lock("/old")
			fields := []string{"Destination: /old"}
			if c.ifs != "" {
				fields = append(fields, "If: "+strings.NewReplacer("{src}", src, "{dst}", dst).Replace(c.ifs))
			}
			s.wants(c.status, "MOVE", "/f", fields...)
			if c.status >= 400 {
				s.holds(garden())
				s.wants(204, "UNLOCK", "/f", "Lock-Token: <"+src+">")
			}
			s.wants(204, "UNLOCK", "/old", "Lock-Token: <"+dst+">")
		})
	}
}

// TestIfETag: the header If with entity tags (§10.4), of the request URI or of a tagged
// resource.
func TestIfETag(t *testing.T) {
	for _, c := range []struct {
		name, method, ifs string
		status            int
	}{
		{"§10.4.1 holds", "MOVE", "([{f}])", 204},
		{"§10.4.1 does not hold", "MOVE", `(["other"])`, 412},
		{"§10.4.7 Not holds", "MOVE", `(Not ["other"])`, 204},
		{"§10.4.7 Not does not hold", "MOVE", "(Not [{f}])", 412},
		{"§10.4.7 Not is about the request URI", "COPY", "(Not [{f}])", 412},
		{"§10.4.1 of the destination, tagged", "COPY", "</old> ([{old}])", 204},
		{"of the destination, tagged, does not hold", "COPY", "</old> ([{f}])", 412},
		{"§10.4.3 of the destination, not tagged", "COPY", "([{old}])", 412},
		{"§10.4.9 of both, one holds", "COPY", `</f> (["other"]) </old> ([{old}])`, 204},
		{"of both in one list", "MOVE", `([{f}] [{old}])`, 412},
		{"§10.4.11 unmapped", "COPY", `</missing> (["other"])`, 412},
		{"§10.4.11 unmapped, Not", "COPY", `</missing> (Not ["other"])`, 204},
		{"§10.4.1 weak never matches", "MOVE", "([W/{f}])", 412},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				tags := strings.NewReplacer("{f}", s.wants(200, "GET", "/f").header.Get("ETag"), "{old}", s.wants(200, "GET", "/old").header.Get("ETag"))
				s.wants(c.status, c.method, "/f", "Destination: /old", "If: "+tags.Replace(c.ifs))
				if c.status >= 400 {
					s.holds(garden())
				}
			})
		})
	}
	t.Run("DELETE", func(t *testing.T) {
		s := serveMem(t, &dav.Handler{}, garden())
		s.wants(412, "DELETE", "/f", `If: (["other"])`)
		s.holds(garden())
		s.wants(204, "DELETE", "/f", "If: (["+s.do("GET", "/f").header.Get("ETag")+"])")
	})
}

// TestLocksReleased: the locks that a request takes for itself end with it, however it
// ends.
func TestLocksReleased(t *testing.T) {
	for _, c := range []struct {
		name, method, src, dst string
		fields                 []string
		before                 func(op, name string) error
		status                 int
	}{
		{name: "done", method: "COPY", src: "/c/", dst: "/o/", status: 204},
		{name: "moved", method: "MOVE", src: "/f", dst: "/old", status: 204},
		{name: "deleted", method: "DELETE", src: "/c/", status: 204},
		{name: "precondition failed", method: "MOVE", src: "/c/", dst: "/o/", fields: []string{"Overwrite: F"}, status: 412},
		{name: "If does not hold", method: "MOVE", src: "/c/", dst: "/o/", fields: []string{"If: (<urn:wrong>)"}, status: 412},
		{name: "disk full", method: "COPY", src: "/c/", dst: "/o/", before: failing("write", "", syscall.ENOSPC), status: 507},
		{name: "partly", method: "COPY", src: "/c/", dst: "/o/", before: failing("open", "/c/m", syscall.EACCES), status: 207},
		{name: "partly deleted", method: "DELETE", src: "/c/", before: failing("remove", "/c/m", syscall.EACCES), status: 207},
		{name: "not moved", method: "MOVE", src: "/c/", dst: "/o/", before: failing("rename", "", syscall.EACCES), status: 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.before = c.before
				s.wants(c.status, c.method, c.src, append(c.fields, "Destination: "+c.dst)...)
				s.before = nil
				// A lock of the whole share fails if any other lock remains.
				s.lock("/", "Depth: infinity")
			})
		})
	}
	t.Run("second lock refused", func(t *testing.T) {
		s := serveMem(t, &dav.Handler{}, garden())
		token := s.lock("/o/")
		s.wants(423, "MOVE", "/c/", "Destination: /o/")
		s.wants(204, "UNLOCK", "/o/", "Lock-Token: <"+token+">")
		s.lock("/", "Depth: infinity")
	})
	t.Run("panic", func(t *testing.T) {
		s := serveMem(t, &dav.Handler{}, garden())
		s.before = func(op, name string) error {
			if op == "open" && name == "/c/m" {
				panic(http.ErrAbortHandler)
			}
			return nil
		}
		if _, err := send(t, s.server, "COPY", "/c/", "", "Destination: /new/"); err == nil {
			t.Error("an answer in spite of the panic")
		}
		s.lock("/", "Depth: infinity")
	})
}

// TestLockedByWork: while a COPY works on its destination, no other request can change
// it.
func TestLockedByWork(t *testing.T) {
	for _, method := range []string{"COPY", "MOVE"} {
		t.Run(method, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			reached, goOn := make(chan struct{}), make(chan struct{})
			s.before = func(op, name string) error {
				switch {
				case op == "rename" && name == "/c":
					return syscall.EXDEV
				case op == "open" && name == "/c/s/d":
					close(reached)
					<-goOn
				}
				return nil
			}
			done := make(chan answer)
			go func() {
				a, err := send(t, s.server, method, "/c/", "", "Destination: /o/")
				if err != nil {
					t.Error(err)
				}
				done <- a
			}()
			<-reached
			var wg sync.WaitGroup
			for _, r := range [][]string{
				{"DELETE", "/o/"},
				{"DELETE", "/o/m"},
				{"MOVE", "/o/m", "Destination: /new"},
				{"COPY", "/f", "Destination: /o/"},
				{"COPY", "/f", "Destination: /o/new"},
				{"PUT", "/o/m"},
				{"PUT", "/o/new"},
				{"MKCOL", "/o/new"},
				{"LOCK", "/o/"},
			} {
				wg.Go(func() {
					body := ""
					if r[0] == "LOCK" {
						body = lockBody
					}
					if a := s.send(r[0], r[1], body, r[2:]...); a.status != 423 {
						t.Errorf("%q is %d", r, a.status)
					}
				})
			}
			wg.Wait()
			s.wants(200, "GET", "/o/m")
			s.wants(207, "PROPFIND", "/o/")
			s.wants(201, "COPY", "/f", "Destination: /beside")
			close(goOn)
			if a := <-done; a.status != 204 {
				t.Errorf("status %d: %s", a.status, a.body)
			}
			s.lock("/o/")
		})
	}
}

// failing makes each call of op fail, or only those for name if that is not "".
func failing(op, name string, err error) func(op, name string) error {
	return func(o, n string) error {
		if o == op && (name == "" || n == name) {
			return err
		}
		return nil
	}
}

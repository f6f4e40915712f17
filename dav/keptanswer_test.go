package dav_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/storagetest"
)

// lose sends a request that waits at g and disconnects the client, so that the answer
// is lost.
func lose(s *bubbleServer, g *gate, line string, fields ...string) {
	s.Helper()
	client := s.dial()
	client.ask(line, fields...)
	<-g.waiting
	client.Close()
	synctest.Wait()
	g.open()
	synctest.Wait()
}

// TestKeptAnswer: a repeated request gets the lost answer, once, unless something has
// changed.
func TestKeptAnswer(t *testing.T) {
	move := []string{"MOVE /src", "X-User: a", "Destination: /dst"}
	del := []string{"DELETE /src", "X-User: a"}
	onto := []string{"COPY /src", "X-User: a", "Destination: /other"}
	for _, c := range []struct {
		name    string
		request []string
		// between are requests in between, each with the status that it must get.
		between []string
		after   time.Duration
		change  func(t *testing.T, g *gate)
		// repeated and again are the statuses of the same request, sent twice more after
		// that.
		repeated, again int
	}{
		{name: "RFC 4918 §9.9.4: a MOVE repeated is a 201, and not a 404", request: move, repeated: 201, again: 404},
		{name: "RFC 4918 §9.6: a DELETE", request: del, repeated: 204, again: 404},
		{name: "RFC 4918 §9.8.5: a COPY, carried out again the third time", request: []string{"COPY /src", "Destination: /dst"}, repeated: 201, again: 204},
		{name: "RFC 4918 §10.6: a COPY that must not replace", request: []string{"COPY /src", "Destination: /dst", "Overwrite: F"}, repeated: 201, again: 412},
		{name: "RFC 4918 §9.8.4: a COPY that replaces", request: onto, repeated: 204, again: 204},
		{name: "within two minutes", request: move, after: 119 * time.Second, repeated: 201, again: 404},
		{name: "after two minutes", request: move, after: 121 * time.Second, repeated: 404, again: 404},
		{name: "reading changes nothing", request: move, between: []string{"207 PROPFIND /dst", "404 GET /src/a.txt", "200 OPTIONS /dst"}, repeated: 201, again: 404},
		{name: "a change elsewhere changes nothing", request: move, between: []string{"201 MKCOL /other/new", "201 MKCOL /dst2"}, repeated: 201, again: 404},
		{name: "a request refused before its claim changes nothing", request: move, between: []string{"409 MKCOL /dst/none/new", "404 DELETE /src/a.txt"}, repeated: 201, again: 404},
		{name: "something new at the source", request: move, between: []string{"201 MKCOL /src"}, repeated: 204, again: 404},
		{name: "something new in the destination", request: move, between: []string{"201 MKCOL /dst/new"}, repeated: 404, again: 404},
		{name: "a property of the destination", request: move, between: []string{"207 PROPPATCH /dst"}, repeated: 404, again: 404},
		{name: "a property above", request: move, between: []string{"207 PROPPATCH /"}, repeated: 404, again: 404},
		{name: "the destination was deleted", request: move, between: []string{"204 DELETE /dst"}, repeated: 404, again: 404},
		{name: "a member of the destination was deleted", request: move, between: []string{"204 DELETE /dst/a.txt"}, repeated: 404, again: 404},
		{name: "the destination is locked", request: move, between: []string{"200 LOCK /dst"}, repeated: 404, again: 404},
		{name: "something new at the deleted name", request: del, between: []string{"201 MKCOL /src"}, repeated: 204, again: 404},
		{name: "the destination was removed by another program", request: move, change: func(t *testing.T, g *gate) {
			if err := g.FS.RemoveAll(t.Context(), "/dst"); err != nil {
				t.Error(err)
			}
		}, repeated: 404, again: 404},
		{name: "the source was created by another program", request: move, change: func(t *testing.T, g *gate) {
			storagetest.WriteTree(t, g.FS, storagetest.Tree{"/src": "/"})
		}, repeated: 204, again: 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := inBubble(t, &dav.Handler{})
				lose(s, g, c.request[0], c.request[1:]...)
				client := s.dial()
				for _, between := range c.between {
					var status int
					var method, target string
					if _, err := fmt.Sscan(between, &status, &method, &target); err != nil {
						t.Fatal(err)
					}
					if a := askWithBody(client, method, target); a.status != status {
						t.Errorf("%s %s is %d: %s", method, target, a.status, a.body)
					}
				}
				if c.change != nil {
					c.change(t, g)
				}
				time.Sleep(c.after) // virtual
				for i, want := range []int{c.repeated, c.again} {
					if a := client.gets(c.request[0], c.request[1:]...); a.status != want {
						t.Errorf("repetition %d is %d, want %d: %s", i+1, a.status, want, a.body)
					}
				}
			})
		})
	}
}

// askWithBody sends a request whose body, if it has one, doesn't matter.
func askWithBody(client *bubbleClient, method, target string) answer {
	bodies := map[string]string{
		"PROPPATCH": `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x"/></prop></set></propertyupdate>`,
		"LOCK":      lockBody,
	}
	client.send(method+" "+target, bodies[method])
	return client.next()
}

// TestKeptAnswerNot: no other request gets the lost answer.
func TestKeptAnswerNot(t *testing.T) {
	for name, fields := range map[string][]string{
		"another principal":           {"X-User: b", "Destination: /dst"},
		"no principal":                {"Destination: /dst"},
		"RFC 4918 §10.6: Overwrite":   {"X-User: a", "Destination: /dst", "Overwrite: F"},
		"RFC 4918 §10.3: Destination": {"X-User: a", "Destination: /other"},
		"RFC 4918 §10.4: If":          {"X-User: a", "Destination: /dst", "If: (Not <urn:x>)"},
		"RFC 9110 §13.1.2":            {"X-User: a", "Destination: /dst", `If-None-Match: "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := inBubble(t, &dav.Handler{})
				lose(s, g, "MOVE /src", "X-User: a", "Destination: /dst")
				client := s.dial()
				if a := client.gets("MOVE /src", fields...); a.status != 404 {
					t.Errorf("answered %d", a.status)
				}
				if a := client.gets("MOVE /src", "X-User: a", "Destination: /dst"); a.status != 201 {
					t.Errorf("the same request is answered %d", a.status)
				}
			})
		})
	}
}

// TestKeptAnswerFailures: a failed request is carried out again, except after a 207,
// which is kept.
func TestKeptAnswerFailures(t *testing.T) {
	for _, c := range []struct {
		name, line string
		op, fail   string // the call that fails, and the name in it
		calls      int    // how many there are
		status     int
	}{
		{"RFC 4918 §9.6.1: a 207", "DELETE /src", "remove", "/src/a.txt", 1, 207},
		{"RFC 4918 §9.6: a failure of the whole", "DELETE /src/a.txt", "remove", "/src/a.txt", 2, 403},
		{"RFC 4918 §9.8.5: a failure of the whole, with an old destination", "COPY /src/a.txt", "open", "/src/a.txt", 2, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{}
				s, g := inBubble(t, h)
				calls := 0
				h.FileSystem = &storagetest.Fault{FS: g, Before: func(op, name string) error {
					if strings.HasPrefix(op, c.op) && name == c.fail {
						calls++
						_ = g.pass(t.Context())
						return fs.ErrPermission
					}
					return nil
				}}
				lose(s, g, c.line, "Destination: /src/c/b.txt")
				if a := s.dial().gets(c.line, "Destination: /src/c/b.txt"); a.status != c.status {
					t.Errorf("answered %d", a.status)
				}
				if calls != c.calls {
					t.Errorf("tried %d times, want %d", calls, c.calls)
				}
			})
		})
	}
}

// TestKeptAnswerLostAgain: an answer that is lost again stays kept.
func TestKeptAnswerLostAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &dav.Handler{}
		s, g := inBubble(t, h)
		lose(s, g, "MOVE /src", "Destination: /dst")
		g.close()
		// The check of the storage, before the answer is sent, waits until the client
		// disconnects.
		blocked := make(chan struct{})
		h.FileSystem = &storagetest.Fault{FS: g.FS, Before: func(op, name string) error {
			if op == "lstat" && name == "/dst" {
				<-blocked
			}
			return nil
		}}
		client := s.dial()
		client.ask("MOVE /src", "Destination: /dst")
		synctest.Wait()
		client.Close()
		synctest.Wait()
		close(blocked)
		synctest.Wait()
		for i, want := range []int{201, 404} {
			if a := s.dial().gets("MOVE /src", "Destination: /dst"); a.status != want {
				t.Errorf("repetition %d is %d, want %d", i, a.status, want)
			}
		}
	})
}

// TestKeptAnswerAccepted: a client that got a 202 needs no other answer, so none is
// kept.
func TestKeptAnswerAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		client := s.dial()
		if a := client.gets("MOVE /src", "Destination: /dst", "Prefer: respond-async"); a.status != 202 {
			t.Errorf("answered %d", a.status)
		}
		g.open()
		synctest.Wait()
		if a := client.gets("MOVE /src", "Destination: /dst"); a.status != 404 {
			t.Errorf("repeated it is answered %d", a.status)
		}
	})
}

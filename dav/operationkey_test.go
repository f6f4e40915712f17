package dav_test

import (
	"testing"
	"testing/synctest"

	"github.com/davd/davd/dav"
)

// sameCopies are different forms of the same request: COPY /src by the principal a with
// the header Destination: /d%C3%A9.
var sameCopies = map[string][]string{
	"as it was":                                {"COPY /src", "Destination: /d%C3%A9"},
	"RFC 3986 §6.2.2.1: hexadecimal digits":    {"COPY /src", "Destination: /d%c3%a9"},
	"RFC 3986 §6.2.2.2: what needs no %":       {"COPY /%73rc", "Destination: /%64%C3%A9"},
	"RFC 3986 §6.2.2.3: dot segments":          {"COPY /./other/../src", "Destination: /other/../d%C3%A9"},
	"RFC 4918 §5.2: a slash at the end":        {"COPY /src/", "Destination: /d%C3%A9/"},
	"RFC 4918 §10.2: Depth by default":         {"COPY /src", "Destination: /d%C3%A9", "Depth: infinity"},
	"RFC 4918 §10.2: Depth in another case":    {"COPY /src", "Destination: /d%C3%A9", "Depth: Infinity"},
	"RFC 4918 §10.3: an absolute URI":          {"COPY /src", "Destination: http://davd.test/d%C3%A9"},
	"RFC 4918 §10.3: its port and scheme":      {"COPY /src", "Destination: HTTP://DAVD.test:80/d%C3%A9"},
	"RFC 4918 §10.6: Overwrite by default":     {"COPY /src", "Destination: /d%C3%A9", "Overwrite: T"},
	"RFC 4918 §10.6: Overwrite in lower case":  {"COPY /src", "Destination: /d%C3%A9", "Overwrite: t"},
	"RFC 9110 §7.2: another name of this host": {"COPY /src", "Destination: http://public.test/d%C3%A9", "X-Forwarded-Host: public.test"},
	"RFC 7240 §4.1: another preference":        {"COPY /src", "Destination: /d%C3%A9", "Prefer: wait=9"},
}

// TestKeySame checks that a request with the same meaning joins the running operation.
func TestKeySame(t *testing.T) {
	for name, request := range sameCopies {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{}
				s, g := inBubble(t, h)
				first, second := s.dial(), s.dial()
				first.ask("COPY /src", "X-User: a", "Destination: /d%C3%A9")
				<-g.waiting
				second.ask(request[0], append(request[1:], "X-User: a")...)
				synctest.Wait()
				if n := len(h.Operations()); n != 1 {
					t.Errorf("%d operations are under way", n)
				}
				go g.open()
				for _, client := range []*bubbleClient{first, second} {
					if _, a := client.final(); a.status != 201 {
						t.Errorf("answered %d %s", a.status, a.body)
					}
				}
			})
		})
	}
}

// TestKeySameLost checks that such a request also gets a lost answer.
func TestKeySameLost(t *testing.T) {
	for name, request := range sameCopies {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := inBubble(t, &dav.Handler{})
				lose(s, g, "COPY /src", "X-User: a", "Destination: /d%C3%A9")
				client := s.dial()
				for _, want := range []int{201, 204} { // the second time it is another one
					if a := client.gets(request[0], append(request[1:], "X-User: a")...); a.status != want {
						t.Errorf("answered %d, want %d", a.status, want)
					}
				}
			})
		})
	}
}

// TestKeyLostSource checks that a request whose source no longer exists is identical if
// it is sent in the same form, whatever the storage's spelling was.
func TestKeyLostSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		write(t, g.FS, "/é", "composed") // NFC
		const decomposed = "MOVE /e%CC%81"
		lose(s, g, decomposed, "Destination: /dst")
		if a := s.dial().gets(decomposed, "Destination: /dst", "Overwrite: T"); a.status != 201 {
			t.Errorf("answered %d", a.status)
		}
	})
}

// TestKeyDelete checks that headers without a meaning for DELETE don't matter.
func TestKeyDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		lose(s, g, "DELETE /src")
		if a := s.dial().gets("DELETE /src/", "Depth: infinity", "Destination: /x", "Overwrite: F"); a.status != 204 {
			t.Errorf("answered %d", a.status)
		}
	})
}

// TestKeyRefused checks that a refused request does not join a running operation.
func TestKeyRefused(t *testing.T) {
	for name, c := range map[string]struct {
		fields []string
		status int
	}{
		"RFC 4918 §9.8.5: another server":         {[]string{"Destination: http://elsewhere.test/dst"}, 502},
		"RFC 4918 §10.3: no Destination":          {nil, 400},
		"RFC 4918 §10.2: a Depth that is none":    {[]string{"Destination: /dst", "Depth: 7"}, 400},
		"RFC 4918 §10.2: not for COPY":            {[]string{"Destination: /dst", "Depth: 1"}, 400},
		"RFC 4918 §10.6: an Overwrite that is no": {[]string{"Destination: /dst", "Overwrite: true"}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := inBubble(t, &dav.Handler{})
				client := s.dial()
				client.ask("COPY /src", "Destination: /dst")
				<-g.waiting
				if a := s.dial().gets("COPY /src", c.fields...); a.status != c.status {
					t.Errorf("answered %d, want %d", a.status, c.status)
				}
				go g.open()
				client.final()
			})
		})
	}
}

// TestKeyIfHost checks that with a header If the host is part of the key, because it
// decides which URIs in If are on this server (RFC 4918 §10.4).
func TestKeyIfHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		const condition = "If: <http://davd.test/src> (Not <urn:x>)"
		client := s.dial()
		client.ask("COPY /src", "Destination: /dst", condition)
		<-g.waiting
		if a := s.dial().gets("COPY /src", "Destination: /dst", condition, "X-Forwarded-Host: public.test"); a.status != 423 {
			t.Errorf("answered %d", a.status)
		}
		go g.open()
		client.final()
	})
}

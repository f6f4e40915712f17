package dav_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
)

// TestShortcomings: what x/net's handler and other servers get wrong about
// properties, PROPFIND and XML, one case each.
func TestShortcomings(t *testing.T) {
	for _, row := range []struct {
		name string
		test func(t *testing.T)
	}{
		{"no dead properties on a directory tree (golang/go#43929)", func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			for _, target := range []string{"/f", "/c/", "/"} {
				s.patched(target, set("<x:a>1</x:a>"), xProp("a"))
				s.has(target, "a", "1")
			}
		}},
		{"PROPPATCH of a collection 500", func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.patched("/c/", set("<x:a>1</x:a>"), xProp("a"))
				s.has("/c/", "a", "1")
				s.hasNot("/c/m", "a")
			})
		}},
		{"dead properties dropped, says 207 (rclone)", func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				s.patched("/f", set("<x:a>1</x:a>"), xProp("a"))
				s.has("/f", "a", "1")
			})
		}},
		{"no lockdiscovery", func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				token := s.lock("/f")
				if got := s.property("/f", davProp("lockdiscovery")); !strings.Contains(got.inner, token) {
					s.Errorf("%+v", got)
				}
			})
		}},
		{"no creationdate, no quota (RFC 4331)", shortcomingDisk},
		{"getcontenttype opens and sniffs each file (golang/go#22577)", func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			s.fail(syscall.EIO, "openfile", "/f", "/c/m", "/c/s/d")
			for href, r := range s.multistatus(s.send("PROPFIND", "/", askAll, "Depth: infinity")).responses {
				if r.status != 0 || !strings.HasSuffix(href, "/") && r.dav("getcontenttype").text == "" {
					t.Errorf("%s is %+v", href, r)
				}
			}
		}},
		{"Readdir of the whole directory, and one more Stat per member", func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			stats := 0
			s.before = func(op, _ string) error {
				if op == "stat" {
					stats++
				}
				return nil
			}
			if m := s.multistatus(s.send("PROPFIND", "/c/", askTwo, "Depth: 1")); len(m.hrefs) != 4 || stats > 2 {
				t.Errorf("%d calls of Stat for %q", stats, m.hrefs)
			}
		}},
		{"an error in the middle of a PROPFIND breaks the XML (golang/go#55339, #18843)", func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			s.fail(syscall.EACCES, "readdir", "/c/s")
			m := s.multistatus(s.send("PROPFIND", "/", askAll, "Depth: infinity"))
			if m.responses["/c/s/"].status != 403 || len(m.hrefs) != len(garden().full())+1-1 {
				t.Errorf("%q, %+v", m.hrefs, m.responses["/c/s/"])
			}
		}},
		{"a dangling link made a whole listing 500 (nginx)", func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			if err := os.Symlink("nowhere", filepath.Join(s.dir, "dangling")); err != nil {
				t.Fatal(err)
			}
			if m := s.multistatus(s.send("PROPFIND", "/", askAll, "Depth: 1")); len(m.hrefs) != 5 {
				t.Errorf("%q", m.hrefs)
			}
		}},
		{"no cancellation", shortcomingCancel},
		{"no limit on XML bodies", shortcomingBody},
		{"an empty namespace prefix accepted (litmus propfind_invalid2)", func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			for method, body := range map[string]string{
				"PROPFIND":  `<D:propfind xmlns:D="DAV:"><D:prop><bar:foo xmlns:bar=""/></D:prop></D:propfind>`,
				"PROPPATCH": instructions(set(`<bar:foo xmlns:bar=""/>`)),
			} {
				if a := s.send(method, "/f", body); a.status != 400 {
					t.Errorf("%s is %d", method, a.status)
				}
			}
		}},
		{"`Depth: Infinity` 400", func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			for value, status := range map[string]int{
				"Infinity": 207, "INFINITY": 207, "infinity": 207, "1": 207, "0": 207,
				"2": 400, "-1": 400, "infinity,noroot": 207, "1,noroot": 207, "01": 400, "none": 400,
			} {
				a := s.send("PROPFIND", "/c/", askTwo, "Depth: "+value)
				if a.status != status || status == 400 && !strings.Contains(a.body, "Depth") {
					t.Errorf("Depth: %s is %d: %s", value, a.status, a.body)
				}
			}
		}},
		{"permission errors 405", func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			s.fail(syscall.EACCES, "stat", "/f")
			for method, body := range map[string]string{"PROPFIND": askAll, "PROPPATCH": instructions(set("<x:a/>"))} {
				if a := s.send(method, "/f", body); a.status != 403 {
					t.Errorf("%s is %d", method, a.status)
				}
			}
		}},
	} {
		t.Run(row.name, row.test)
	}
}

func shortcomingDisk(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	want := 200
	info, err := s.fsys.Stat(t.Context(), "/c")
	if err != nil {
		t.Fatal(err)
	}
	if storage.Born(info).IsZero() {
		want = 404
		t.Log("this disk has no birth times")
	}
	r := s.multistatus(s.send("PROPFIND", "/c/", `<propfind xmlns="DAV:"><prop><creationdate/><quota-used-bytes/><quota-available-bytes/></prop></propfind>`, "Depth: 0")).responses["/c/"]
	if r.dav("creationdate").status != want || r.dav("quota-used-bytes").status != 200 || r.dav("quota-available-bytes").status != 200 {
		t.Errorf("%+v", r)
	}
}

// shortcomingCancel checks that a PROPFIND stops if its client disconnects.
func shortcomingCancel(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	s.h.Logger = func(_ *http.Request, err error) { ended <- err }
	listed := make(chan struct{})
	gone := make(chan struct{})
	s.before = func(op, name string) error {
		if op == "readdir" && name == "/c" {
			close(listed)
			<-gone
		}
		if op == "readdir" && name == "/c/s" {
			t.Error("the walk went on")
		}
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, "PROPFIND", s.server.URL+"/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	serverGone := make(chan struct{})
	s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		context.AfterFunc(r.Context(), func() { close(serverGone) })
		s.h.ServeHTTP(w, r)
	})
	go func() {
		<-listed
		cancel()
		<-serverGone
		close(gone)
	}()
	if response, err := s.server.Client().Do(request); err == nil {
		response.Body.Close()
		t.Fatal(response.Status)
	}
	if err := <-ended; err == nil {
		t.Error("no error is logged")
	}
}

// shortcomingBody checks that 32 MiB of XML, an entity bomb and a million attributes
// are refused without using much memory.
func shortcomingBody(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	const size = 32 << 20
	bomb := `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` + strings.Replace(askAll, "<allprop/>", "<prop><a>&b;</a></prop>", 1)
	for _, c := range []struct {
		name, head, again string
		length            int64 // -1: in chunks
		status            int
	}{
		{"32 MiB", `<propfind xmlns="DAV:"><prop>`, "<a/>", size, 413},
		{"32 MiB in chunks", `<propfind xmlns="DAV:"><prop>`, "<a/>", -1, 413},
		// Too long as well, which is found first. Shorter ones: TestXMLReader.
		{"a million attributes", "<propfind", ` a="b"`, -1, 413},
		{"a million elements deep", `<propfind xmlns="DAV:"><prop>`, "<a>", -1, 413},
		{"an entity bomb", bomb, " ", -1, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, method := range []string{"PROPFIND", "PROPPATCH"} {
				head, again := c.head, strings.Repeat(c.again, 4096)
				if method == "PROPPATCH" {
					head = strings.Replace(head, `<propfind xmlns="DAV:"><prop>`, `<propertyupdate xmlns="DAV:"><set><prop><a xmlns="">`, 1)
				}
				body := io.LimitReader(io.MultiReader(strings.NewReader(head), readerFunc(func(p []byte) (int, error) {
					return copy(p, again), nil
				})), size)
				request, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+"/f", io.NopCloser(body))
				if err != nil {
					t.Fatal(err)
				}
				request.ContentLength = c.length
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				response, err := s.server.Client().Do(request)
				if err != nil {
					t.Fatal(err)
				}
				runtime.ReadMemStats(&after)
				response.Body.Close()
				if response.StatusCode != c.status {
					t.Errorf("%s is %d, want %d", method, response.StatusCode, c.status)
				}
				// Garbage and the client's included; what is in use is far less.
				if used := after.TotalAlloc - before.TotalAlloc; used > 2*size {
					t.Errorf("%s allocates %d bytes", method, used)
				}
			}
		})
	}
}

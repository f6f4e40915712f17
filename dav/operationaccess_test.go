package dav_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/storagetest"
)

// TestStatusOwner checks that only the principal and an administrator can see an
// operation, while it runs and afterwards. To others it does not exist.
func TestStatusOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{
			Administrator: func(r *http.Request) bool { return r.Header.Get("X-User") == "root" },
		})
		client, location := underWay(s, g, "COPY /src", "Destination: /dst")
		other := s.dial()
		nothing := other.gets("GET /.davd-operations/AAAAAAAAAAAAAAAAAAAAAA", "X-User: b")
		check := func() {
			t.Helper()
			for _, user := range []string{"b", ""} {
				for _, method := range []string{"GET", "DELETE", "POST"} {
					if a := other.gets(method+" "+location, "X-User: "+user, "Sec-Fetch-Site: same-origin"); a.status != 404 || a.body != nothing.body {
						t.Errorf("%s by %q is %d %s", method, user, a.status, a.body)
					}
				}
				if a := other.gets("GET /.davd-operations/", "X-User: "+user); a.body != `{"operations":[]}`+"\n" {
					t.Errorf("the list of %q is %s", user, a.body)
				}
			}
			for _, user := range []string{"a", "root"} {
				if a := other.gets("GET "+location, "X-User: "+user); a.status != 200 {
					t.Errorf("GET by %q is %d", user, a.status)
				}
				if a := other.gets("GET /.davd-operations/", "X-User: "+user); !strings.Contains(a.body, location) {
					t.Errorf("the list of %q is %s", user, a.body)
				}
			}
		}
		check()
		g.open()
		client.final()
		synctest.Wait()
		check()
		if a := other.gets("DELETE "+location, "X-User: root"); a.status != 204 {
			t.Errorf("DELETE by root is %d", a.status)
		}
		if a := other.gets("GET "+location, "X-User: a"); a.status != 404 {
			t.Errorf("afterwards it is %d", a.status)
		}
	})
}

// TestStatusAnybody checks that without principals every client that knows the name has
// access, and that only clients that are one person get a list.
func TestStatusAnybody(t *testing.T) {
	for _, onePerson := range []bool{false, true} {
		t.Run(fmt.Sprint("one person ", onePerson), func(t *testing.T) { testStatusAnybody(t, onePerson) })
	}
}

func testStatusAnybody(t *testing.T, onePerson bool) {
	synctest.Test(t, func(t *testing.T) {
		h := &dav.Handler{}
		s, g := inBubble(t, h)
		h.OnePerson = onePerson
		client := s.dial()
		client.ask("COPY /src", "Destination: /dst", "Prefer: processing")
		location := client.next().header.Get("Location")
		other := s.dial()
		for _, user := range []string{"", "b"} {
			if a := other.gets("GET "+location, "X-User: "+user); a.status != 200 || strings.Contains(a.body, "principal") {
				t.Errorf("GET by %q is %d %s", user, a.status, a.body)
			}
			if a := other.gets("GET /.davd-operations/", "X-User: "+user); strings.Contains(a.body, location) != (onePerson && user == "") {
				t.Errorf("the list of %q is %s", user, a.body)
			}
		}
		if a := other.gets("DELETE " + location); a.status != 204 {
			t.Errorf("stopping is %d", a.status)
		}
		g.open()
	})
}

// TestStatusList checks that the list has the principal's operations, running or not,
// the most recent first. It does not have short ones whose address no client knows.
func TestStatusList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		g.open()
		client := s.dial()
		if a := client.gets("COPY /src", "X-User: a", "Destination: /short"); a.status != 201 {
			t.Fatal(a.status)
		}
		for i, prefer := range []string{"processing", "respond-async", "processing"} {
			time.Sleep(time.Second)
			client.gets("COPY /src", "X-User: "+[]string{"a", "a", "b"}[i], fmt.Sprint("Destination: /dst", i), "Prefer: "+prefer)
			synctest.Wait()
		}
		time.Sleep(time.Second)
		g.close()
		underWay(s, g, "PROPFIND /src")
		reader := s.dial()
		var list operation.StatusList
		if err := json.Unmarshal([]byte(reader.gets("GET /.davd-operations/", "X-User: a").body), &list); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, op := range list.Operations {
			got = append(got, op.Method+" "+op.Destination+" "+op.State)
		}
		if !slices.Equal(got, []string{"PROPFIND  running", "COPY /dst0 finished"}) {
			t.Errorf("listed are %q", got)
		}
		page := reader.gets("GET /.davd-operations", "X-User: a", "Accept: text/html")
		for _, op := range list.Operations {
			if !strings.Contains(page.body, `<a href="./.davd-operations/`+op.ID+`">`) {
				t.Errorf("%s is not in %s", op.ID, page.body)
			}
		}
		g.open()
	})
}

// TestStatusForm checks that the page's form can stop and forget an operation, and a
// form of another site can't.
func TestStatusForm(t *testing.T) {
	const form = "Content-Type: application/x-www-form-urlencoded"
	for _, c := range []struct {
		name, body, location string
		fields               []string
		ended                bool
		status               int
		does                 bool // whether the form's request has an effect
		reason               string
	}{
		{name: "stop", body: "do=stop", fields: []string{"Sec-Fetch-Site: same-origin"}, status: 303, does: true},
		{name: "forget", body: "do=forget", fields: []string{"Sec-Fetch-Site: same-origin"}, ended: true, status: 303, location: "./", does: true},
		{name: "by Origin", body: "do=stop", fields: []string{"Origin: http://davd.test"}, status: 303, does: true},
		{name: "by Origin, through a proxy", body: "do=stop", fields: []string{"Origin: https://public.test", "X-Forwarded-Host: public.test"}, status: 303, does: true},
		{name: "another site", body: "do=stop", fields: []string{"Sec-Fetch-Site: cross-site", "Origin: http://davd.test"}, status: 403},
		{name: "another host of the site", body: "do=stop", fields: []string{"Sec-Fetch-Site: same-site"}, status: 403},
		{name: "another Origin", body: "do=stop", fields: []string{"Origin: http://evil.test"}, status: 403, reason: "by a page of another site"},
		{name: "another port", body: "do=stop", fields: []string{"Origin: http://davd.test:81"}, status: 403},
		{name: "a hidden Origin", body: "do=stop", fields: []string{"Origin: null"}, status: 403},
		{name: "no sign of a browser", body: "do=stop", status: 403, reason: "neither Sec-Fetch-Site nor Origin says"},
		{name: "nothing", fields: []string{"Sec-Fetch-Site: same-origin"}, status: 400},
		{name: "nonsense", body: "do=%zz", fields: []string{"Sec-Fetch-Site: same-origin"}, status: 400},
		{name: "too much", body: "do=stop&x=" + strings.Repeat("x", 2000), fields: []string{"Sec-Fetch-Site: same-origin"}, status: 400},
		{name: "a page that is out of date: stop", body: "do=stop", fields: []string{"Sec-Fetch-Site: same-origin"}, ended: true, status: 303},
		{name: "a page that is out of date: forget", body: "do=forget", fields: []string{"Sec-Fetch-Site: same-origin"}, status: 303},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{}
				s, g := inBubble(t, h)
				client, location := underWay(s, g, "COPY /src", "Destination: /dst")
				if c.ended {
					g.open()
					client.final()
					synctest.Wait()
				}
				browser := s.dial()
				browser.send("POST "+location, c.body, append(c.fields, form, "X-User: a")...)
				a := browser.next()
				if a.status != c.status || !strings.Contains(a.body, c.reason) {
					t.Errorf("answered %d %s", a.status, a.body)
				}
				want := c.location
				if want == "" {
					want = strings.TrimPrefix(location, "/.davd-operations/")
				}
				if got := a.header.Get("Location"); c.status == 303 && got != want {
					t.Errorf("Location %q, want %q", got, want)
				}
				reader := s.dial()
				switch after := reader.gets("GET "+location, "X-User: a"); {
				case c.ended && (after.status == 404) != c.does:
					t.Errorf("afterwards it is %d", after.status)
				case !c.ended && strings.Contains(after.body, `"state":"stopped"`) != c.does:
					t.Errorf("afterwards it is %s", after.body)
				}
				g.open()
			})
		})
	}
}

// activeNames are names that would be dangerous without escaping.
var activeNames = []string{
	`<script>alert(1)`, `"><img src=x onerror=alert(1)>`, `'-alert(1)-'`, `<style><b>`, `]]><!--`, "a\nevent: end\ndata: {}\n\n",
	"exe.\u202efdp", `&lt;`, "\xff\xfe", `javascript:alert(1)`, "a\u2028b", `{"state":"finished"}`, "%3Cb%3E",
}

// TestStatusHostile checks that each form of the document escapes dangerous names.
func TestStatusHostile(t *testing.T) {
	for _, name := range activeNames {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{Principal: nil}
				s, g := inBubble(t, h)
				g.open()
				storagetest.WriteTree(t, g.FS, storagetest.Tree{"/" + name: "/", "/" + name + "/" + name: "x", "/" + name + "/b": "x"})
				h.FileSystem = &storagetest.Fault{FS: g, Before: func(op, of string) error {
					if strings.HasPrefix(op, "remove") && of == "/"+name+"/"+name {
						return fmt.Errorf("%s is broken", of)
					}
					return nil
				}}
				target := "/" + escapeAll(name)
				client := s.dial()
				client.ask("DELETE "+target, "X-User: a", "Prefer: processing")
				location := client.next().header.Get("Location")
				client.final()
				synctest.Wait()
				reader := s.dial()
				status := reader.status(location)
				if status.FailuresTotal != 1 || len(status.Failures) != 1 || strings.ContainsAny(status.Source+status.Failures[0].Href, "<>\"'\n\u202e\u2028") {
					t.Errorf("%+v", status)
				}
				for _, where := range []string{location, "/.davd-operations/"} {
					page := reader.gets("GET "+where, "X-User: a", "Accept: text/html").body
					for _, harm := range []string{"<script>alert", "<img", "<style><b>", "<!--", "\u202e", `"javascript:`, "\xff", "<b>"} {
						if strings.Contains(page, harm) {
							t.Errorf("%s has %q: %s", where, harm, page)
						}
					}
					if escaped := strings.Contains(page, "<bdi>/"); !escaped {
						t.Errorf("%s does not show the name: %s", where, page)
					}
				}
				events := reader.gets("GET "+location, "X-User: a", "Accept: text/event-stream").body
				if strings.Count(events, "\n") != 3 || strings.ContainsAny(events, "<>\u202e\u2028") {
					t.Errorf("events %q", events)
				}
			})
		})
	}
}

// escapeAll percent-encodes each byte.
func escapeAll(name string) string {
	var b strings.Builder
	for i := range len(name) {
		fmt.Fprintf(&b, "%%%02X", name[i])
	}
	return b.String()
}

// TestStatusPage tests the page with and without scripts, and that the browser may run
// no other code in it.
func TestStatusPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		client, location := underWay(s, g, "COPY /src", "Destination: /dst")
		reader := s.dial()
		a := reader.gets("GET "+location, "X-User: a", "Accept: text/html")
		for _, want := range []string{
			"<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>", "<progress aria-label=\"Progress\"></progress>", "<span>still counting</span>",
			"Copy <bdi>/src</bdi> to <bdi>/dst</bdi>", `<form method="post"><input type="hidden" name="do" value="stop"><button>Stop and roll back</button></form>`,
			"new EventSource(here)",
		} {
			if !strings.Contains(a.body, want) {
				t.Errorf("%s is not in %s", want, a.body)
			}
		}
		policy := a.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "style-src 'sha256-", "script-src 'sha256-", "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
				t.Errorf("%s is not in %s", want, policy)
			}
		}
		g.open()
		client.final()
		a = reader.gets("GET "+location, "X-User: a", "Accept: text/html")
		if strings.Contains(a.body, "<script") || strings.Contains(a.body, "refresh") || !strings.Contains(a.body, `value="forget"`) || !strings.Contains(a.body, "finished: 201 Created") {
			t.Errorf("in the end the page is %s", a.body)
		}
	})
}

package dav_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/lock"
)

// sharedBody asks for a shared lock.
var sharedBody = strings.Replace(lockBody, "exclusive", "shared", 1)

// byUser reads the principal from the header X-User.
func byUser(r *http.Request) string { return r.Header.Get("X-User") }

// activeLock is an activelock element (RFC 4918 §14.1).
type activeLock struct {
	Shared    *struct{} `xml:"DAV: lockscope>shared"`
	Exclusive *struct{} `xml:"DAV: lockscope>exclusive"`
	Write     *struct{} `xml:"DAV: locktype>write"`
	Depth     string    `xml:"DAV: depth"`
	Owner     struct {
		Inner string `xml:",innerxml"`
	} `xml:"DAV: owner"`
	Timeout string `xml:"DAV: timeout"`
	Token   string `xml:"DAV: locktoken>href"`
	Root    string `xml:"DAV: lockroot>href"`
}

// discovered parses the body of the answer to a LOCK.
func (s *share) discovered(a answer) []activeLock {
	s.Helper()
	var prop struct {
		XMLName xml.Name     `xml:"DAV: prop"`
		Locks   []activeLock `xml:"DAV: lockdiscovery>activelock"`
	}
	if err := xml.Unmarshal([]byte(a.body), &prop); err != nil {
		s.Fatalf("%v in %s", err, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "text/xml; charset=utf-8" {
		s.Errorf("Content-Type %q", got)
	}
	return prop.Locks
}

// condition is the error element of a body (RFC 4918 §14.5): the name of its condition
// and the hrefs in it.
func (s *share) condition(a answer) (name string, hrefs []string) {
	s.Helper()
	var parsed struct {
		XMLName    xml.Name `xml:"DAV: error"`
		Conditions []struct {
			XMLName xml.Name
			Hrefs   []string `xml:"DAV: href"`
		} `xml:",any"`
	}
	if err := xml.Unmarshal([]byte(a.body), &parsed); err != nil || len(parsed.Conditions) != 1 {
		s.Fatalf("%v in %s", err, a.body)
	}
	return parsed.Conditions[0].XMLName.Local, parsed.Conditions[0].Hrefs
}

// lockFor is lock with a given body.
func (s *share) lockFor(body, target string, fields ...string) string {
	s.Helper()
	a := s.send("LOCK", target, body, fields...)
	token := strings.Trim(a.header.Get("Lock-Token"), "<>")
	if a.status/100 != 2 || token == "" {
		s.Fatalf("LOCK %s is %d: %s", target, a.status, a.body)
	}
	return token
}

func TestLockAnswer(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		a := s.send("LOCK", "/c/", lockBody, "Timeout: Second-1000")
		token := a.header.Get("Lock-Token")
		locks := s.discovered(a)
		if a.status != 200 || len(locks) != 1 {
			s.Fatalf("%d: %s", a.status, a.body)
		}
		l := locks[0]
		if l.Exclusive == nil || l.Shared != nil || l.Write == nil || l.Depth != "infinity" || l.Owner.Inner != "me" ||
			l.Timeout != "Second-1000" || "<"+l.Token+">" != token || l.Root != "/c/" {
			s.Errorf("%+v; Lock-Token %s", l, token)
		}
		if !strings.HasPrefix(l.Token, "urn:uuid:") {
			s.Errorf("§6.5: the token is %s", l.Token)
		}
		a = s.send("LOCK", "/f", sharedBody, "Depth: 0", "Timeout: Infinite")
		if locks = s.discovered(a); locks[0].Shared == nil || locks[0].Depth != "0" || locks[0].Timeout != "Second-86400" || locks[0].Root != "/f" {
			s.Errorf("%+v", locks)
		}
	})
}

// TestLockOwner: the owner is returned exactly as it was sent (§14.17).
func TestLockOwner(t *testing.T) {
	for _, owner := range []string{
		"me", "a &amp; b &lt;c&gt;", "<D:href>http://example.com/~é</D:href>", "  two <D:href>mixed</D:href> content\n",
		"<x:y xmlns:x=\"urn:x\" a='1'><![CDATA[<raw>]]></x:y>", "&#x41;",
	} {
		s := serveMem(t, &dav.Handler{}, garden())
		body := strings.Replace(lockBody, ">me<", ">"+owner+"<", 1)
		a := s.send("LOCK", "/f", body)
		// A namespace declaration may have been added.
		got := strings.ReplaceAll(s.discovered(a)[0].Owner.Inner, ` xmlns:D="DAV:"`, "")
		if a.status != 200 || got != owner {
			t.Errorf("owner %q is %q", owner, got)
		}
	}
}

// TestLockUnmapped: §7.3.
func TestLockUnmapped(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		want := garden()
		want["/c/new"] = ""
		a := s.send("LOCK", "/c/new", lockBody)
		token := a.header.Get("Lock-Token")
		if a.status != 201 || token == "" {
			s.Fatalf("%d: %s", a.status, a.body)
		}
		s.holds(want)
		s.wants(200, "GET", "/c/new")
		if got := s.send("PUT", "/c/new", "x"); got.status != 423 {
			s.Errorf("PUT without the token is %d", got.status)
		}
		if got := s.send("PUT", "/c/new", "x", "If: ("+token+")"); got.status != 201 {
			s.Errorf("PUT with the token is %d", got.status)
		}
		s.wants(204, "UNLOCK", "/c/new", "Lock-Token: "+token)
		if got := s.send("LOCK", "/none/new", lockBody); got.status != 409 {
			s.Errorf("LOCK without a parent is %d", got.status)
		}
		if got := s.send("LOCK", "/f/new", lockBody); got.status != 409 {
			s.Errorf("LOCK below a file is %d", got.status)
		}
	})
}

// TestLockConflicts: §6.1, §6.2, §9.10.3, §9.10.5, §9.10.6.
func TestLockConflicts(t *testing.T) {
	for _, c := range []struct {
		name          string
		body, at      string
		depth         string
		body2, at2    string
		depth2        string
		status        int
		conflict, dep string // hrefs
	}{
		{"exclusive, exclusive", lockBody, "/f", "0", lockBody, "/f", "0", 423, "/f", ""},
		{"exclusive, shared", lockBody, "/f", "0", sharedBody, "/f", "0", 423, "/f", ""},
		{"shared, exclusive", sharedBody, "/f", "0", lockBody, "/f", "0", 423, "/f", ""},
		{"shared, shared", sharedBody, "/f", "0", sharedBody, "/f", "0", 200, "", ""},
		{"a member of an infinite lock", lockBody, "/c/", "infinity", lockBody, "/c/m", "0", 423, "/c/", ""},
		{"a member of a lock of depth 0", lockBody, "/c/", "0", lockBody, "/c/m", "0", 200, "", ""},
		{"a member, both shared", sharedBody, "/c/", "infinity", sharedBody, "/c/s/d", "0", 200, "", ""},
		{"an infinite lock above", lockBody, "/c/s/d", "0", lockBody, "/c/", "infinity", 207, "/c/s/d", "/c/"},
		{"an infinite lock above, shared", sharedBody, "/c/s/d", "0", lockBody, "/c/", "infinity", 207, "/c/s/d", "/c/"},
		{"a lock of depth 0 above", lockBody, "/c/s/d", "0", lockBody, "/c/", "0", 200, "", ""},
		{"a sibling", lockBody, "/c/m", "0", lockBody, "/c/s/", "infinity", 200, "", ""},
		{"the root, infinite", lockBody, "/f", "0", lockBody, "/", "infinity", 207, "/f", "/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			first := s.lockFor(c.body, c.at, "Depth: "+c.depth)
			a := s.send("LOCK", c.at2, c.body2, "Depth: "+c.depth2)
			if a.status != c.status {
				t.Fatalf("%d, want %d: %s", a.status, c.status, a.body)
			}
			switch c.status {
			case 423:
				name, hrefs := s.condition(a)
				if name != "no-conflicting-lock" || !slices.Equal(hrefs, []string{c.conflict}) {
					t.Errorf("%s %v", name, hrefs)
				}
			case 207:
				s.failures(a, map[string]int{c.conflict: 423, c.dep: 424})
			}
			if c.status != 200 && a.header.Get("Lock-Token") != "" {
				t.Error("there is a Lock-Token")
			}
			if strings.Contains(a.body, first) && c.status != 200 {
				t.Error("the answer shows the token")
			}
		})
	}
}

// TestLockRefresh: §9.10.2.
func TestLockRefresh(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	deep, shallow := s.lock("/c/", "Timeout: Second-100"), s.lock("/o/", "Depth: 0")
	one, two := s.lockFor(sharedBody, "/f"), s.lockFor(sharedBody, "/f")
	for _, c := range []struct {
		name, at, ifs string
		status        int
	}{
		{"its root", "/c/", "(<" + deep + ">)", 200},
		{"a member", "/c/s/d", "(<" + deep + ">)", 200},
		{"a member of a lock of depth 0", "/o/m", "(<" + shallow + ">)", 412},
		{"another resource", "/f", "(<" + deep + ">)", 412},
		{"another resource, tagged", "/f", "</c/> (<" + deep + ">)", 412},
		{"an unknown token", "/c/", "(<urn:uuid:0>)", 412},
		{"an unknown token, or always true", "/c/", "(<urn:uuid:0>) (Not <DAV:no-lock>)", 412},
		{"several tokens", "/f", "(<" + one + ">) (<" + two + ">)", 200},
		{"no token", "/c/", "", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields := []string{"Timeout: Second-2000"}
			if c.ifs != "" {
				fields = append(fields, "If: "+c.ifs)
			}
			a := s.do("LOCK", c.at, fields...)
			if a.status != c.status {
				t.Fatalf("%d, want %d: %s", a.status, c.status, a.body)
			}
			if a.header.Get("Lock-Token") != "" {
				t.Error("there is a Lock-Token")
			}
			if c.status != 200 {
				return
			}
			for _, l := range s.discovered(a) {
				if l.Timeout != "Second-2000" {
					t.Errorf("the timeout is %s", l.Timeout)
				}
			}
		})
	}
}

// TestUnlock: §9.11, §9.11.1.
func TestUnlock(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	deep, shallow := s.lock("/c/"), s.lock("/o/", "Depth: 0")
	s.wants(400, "UNLOCK", "/c/")
	s.wants(400, "UNLOCK", "/c/", "Lock-Token: <>")
	for target, token := range map[string]string{"/c/": "urn:uuid:0", "/f": deep, "/o/m": shallow} {
		a := s.wants(409, "UNLOCK", target, "Lock-Token: <"+token+">")
		if name, _ := s.condition(a); name != "lock-token-matches-request-uri" {
			t.Errorf("%s", name)
		}
	}
	s.wants(204, "UNLOCK", "/c/s/d", "Lock-Token: <"+deep+">")
	s.wants(409, "UNLOCK", "/c/", "Lock-Token: <"+deep+">")
	s.wants(204, "UNLOCK", "/o/", "Lock-Token: <"+shallow+">")
	s.lock("/", "Depth: infinity")
}

// TestLockBody: §9.10.1, §14.11.
func TestLockBody(t *testing.T) {
	info := func(scope, kind, rest string) string {
		return `<D:lockinfo xmlns:D="DAV:"><D:lockscope>` + scope + `</D:lockscope><D:locktype>` + kind + `</D:locktype>` + rest + `</D:lockinfo>`
	}
	for name, c := range map[string]struct {
		body   string
		status int
		fields []string
	}{
		"no owner":           {body: info("<D:exclusive/>", "<D:write/>", ""), status: 200},
		"unknown elements":   {body: info("<D:exclusive/>", "<D:write/>", "<x xmlns='urn:x'/>"), status: 200},
		"unknown scope":      {body: info("<D:local/>", "<D:write/>", ""), status: 422},
		"two scopes":         {body: info("<D:shared/><D:exclusive/>", "<D:write/>", ""), status: 422},
		"unknown type":       {body: info("<D:shared/>", "<D:read/>", ""), status: 422},
		"no scope":           {body: info("", "<D:write/>", ""), status: 400},
		"two owners":         {body: info("<D:shared/>", "<D:write/>", "<D:owner/><D:owner/>"), status: 400},
		"another root":       {body: "<D:propfind xmlns:D='DAV:'/>", status: 400},
		"another namespace":  {body: strings.ReplaceAll(lockBody, "DAV:", "DAV"), status: 400},
		"not well-formed":    {body: lockBody[:len(lockBody)-5], status: 400},
		"white space":        {body: " \n", status: 400},
		"Depth 1":            {body: lockBody, status: 400, fields: []string{"Depth: 1"}},
		"Depth Infinity":     {body: lockBody, status: 200, fields: []string{"Depth: Infinity"}},
		"Timeout malformed":  {body: lockBody, status: 400, fields: []string{"Timeout: Second-"}},
		"Timeout unknown":    {body: lockBody, status: 200, fields: []string{"Timeout: Extend-5, Second-7"}},
		"If malformed":       {body: lockBody, status: 400, fields: []string{"If: ("}},
		"If false":           {body: lockBody, status: 412, fields: []string{"If: (<DAV:no-lock>)"}},
		"If-Match":           {body: lockBody, status: 412, fields: []string{`If-Match: "x"`}},
		"If-None-Match: *":   {body: lockBody, status: 412, fields: []string{"If-None-Match: *"}},
		"larger than 1 MiB":  {body: lockBody + strings.Repeat(" ", 1<<20), status: 413},
		"an entity":          {body: "<!DOCTYPE x [<!ENTITY e 'x'>]>" + lockBody, status: 400},
		"a reserved name":    {body: lockBody, status: 403, fields: []string{"reserved"}},
		"read-only":          {body: lockBody, status: 403, fields: []string{"read-only"}},
		"the root of a tree": {body: lockBody, status: 200, fields: []string{"root"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := &dav.Handler{}
			s := serveMem(t, h, garden())
			target, fields := "/f", c.fields
			switch {
			case slices.Equal(fields, []string{"reserved"}):
				target, fields = "/.davd-x", nil
			case slices.Equal(fields, []string{"read-only"}):
				h.ReadOnly, fields = true, nil
			case slices.Equal(fields, []string{"root"}):
				target, fields = "/", nil
			}
			a := s.send("LOCK", target, c.body, fields...)
			if a.status != c.status {
				t.Errorf("%d, want %d: %s", a.status, c.status, a.body)
			}
			h.ReadOnly = false
			if c.status >= 400 {
				s.lock("/", "Depth: infinity") // no lock must exist
			}
			s.holds(garden())
		})
	}
}

// TestLockPrincipals: only its creator can use a token, and no other principal sees it
// (§6.4, §20.4).
func TestLockPrincipals(t *testing.T) {
	s := serveMem(t, &dav.Handler{Principal: byUser}, garden())
	const ann, bob = "X-User: ann", "X-User: bob"
	token := s.lock("/c/", ann)
	with := "If: </c/> (<" + token + ">)"
	for _, c := range []struct {
		method, target string
		fields         []string
	}{
		{"PUT", "/c/m", []string{with}},
		{"PUT", "/c/new", []string{with}},
		{"MKCOL", "/c/new", []string{with}},
		{"DELETE", "/c/m", []string{with}},
		{"DELETE", "/c/", []string{with}},
		{"MOVE", "/c/m", []string{with, "Destination: /new"}},
		{"COPY", "/f", []string{with, "Destination: /c/new"}},
		{"LOCK", "/c/m", []string{with}}, // refresh
		{"UNLOCK", "/c/", []string{"Lock-Token: <" + token + ">"}},
	} {
		s.wants(403, c.method, c.target, append(c.fields, bob)...)
	}
	s.holds(garden())
	body := `<D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/></D:prop></D:propfind>`
	for user, sees := range map[string]bool{ann: true, bob: false} {
		a := s.send("PROPFIND", "/c/m", body, "Depth: 0", user)
		if got := strings.Contains(a.body, token); got != sees || !strings.Contains(a.body, "activelock") {
			t.Errorf("%s: the token is there: %t, want %t: %s", user, got, sees, a.body)
		}
	}
	if a := s.send("LOCK", "/c/m", lockBody, bob); a.status != 423 || strings.Contains(a.body, token) {
		t.Errorf("LOCK is %d: %s", a.status, a.body)
	}
	s.wants(200, "LOCK", "/c/m", with, ann)
	if a := s.send("PUT", "/c/m", "x", with, ann); a.status != 204 {
		t.Errorf("PUT by its creator is %d", a.status)
	}
	s.wants(204, "UNLOCK", "/c/", "Lock-Token: <"+token+">", ann)
}

// TestLockShared: the holder of any shared lock may write (§6.2).
func TestLockShared(t *testing.T) {
	s := serveMem(t, &dav.Handler{Principal: byUser}, garden())
	ann := s.lockFor(sharedBody, "/f", "X-User: ann")
	bob := s.lockFor(sharedBody, "/f", "X-User: bob")
	for _, c := range []struct {
		user, ifs string
		status    int
	}{
		{"ann", ann, 204},
		{"bob", bob, 204},
		{"bob", ann, 403},
		{"cid", "", 423},
		{"ann", "", 423},
	} {
		fields := []string{"X-User: " + c.user}
		if c.ifs != "" {
			fields = append(fields, "If: (<"+c.ifs+">)")
		}
		a := s.send("PUT", "/f", "x", fields...)
		if a.status != c.status {
			t.Errorf("PUT by %s is %d, want %d: %s", c.user, a.status, c.status, a.body)
		}
		if c.status == 423 {
			if name, hrefs := s.condition(a); name != "lock-token-submitted" || !slices.Equal(hrefs, []string{"/f"}) {
				t.Errorf("%s %v", name, hrefs)
			}
		}
	}
	s.wants(204, "UNLOCK", "/f", "Lock-Token: <"+ann+">", "X-User: ann")
	if a := s.send("PUT", "/f", "x"); a.status != 423 {
		t.Errorf("one shared lock is left, and PUT is %d", a.status)
	}
	s.wants(204, "DELETE", "/f", "If: (<"+bob+">)", "X-User: bob")
	if a := s.send("PUT", "/f", "x"); a.status != 201 {
		t.Errorf("§9.6: the locks have outlived the file: PUT is %d", a.status)
	}
}

// TestLockMembers: a lock on a collection protects the names of its members whatever
// its depth, and with depth 0 not their content (§7.4).
func TestLockMembers(t *testing.T) {
	for _, c := range []struct {
		method, target string
		fields         []string
		free           bool // allowed without a token
		status         int
	}{
		{"PUT", "/c/new", nil, false, 201},
		{"MKCOL", "/c/new", nil, false, 201},
		{"DELETE", "/c/m", nil, false, 204},
		{"MOVE", "/c/m", []string{"Destination: /new"}, false, 201},
		{"MOVE", "/f", []string{"Destination: /c/new"}, false, 201},
		{"COPY", "/f", []string{"Destination: /c/new"}, false, 201},
		{"LOCK", "/c/new", nil, false, 201},
		{"PUT", "/c/m", nil, true, 204},
		{"PUT", "/c/s/new", nil, true, 201},
		{"COPY", "/f", []string{"Destination: /c/m"}, true, 204},
		{"COPY", "/c/m", []string{"Destination: /new"}, true, 201},
		{"DELETE", "/c/s/d", nil, true, 204},
		{"LOCK", "/c/m", nil, true, 200},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{}, garden())
			token := s.lock("/c/", "Depth: 0")
			body := ""
			if c.method == "LOCK" {
				body = lockBody
			}
			if !c.free {
				if a := s.send(c.method, c.target, body, c.fields...); a.status != 423 {
					t.Errorf("without the token: %d", a.status)
				}
				s.holds(garden())
				c.fields = append(c.fields, "If: </c/> (<"+token+">)")
			}
			if a := s.send(c.method, c.target, body, c.fields...); a.status != c.status {
				t.Errorf("%d, want %d: %s", a.status, c.status, a.body)
			}
		})
	}
}

// laterLocks is a lock.System with a later clock.
type laterLocks struct {
	lock.Manager
	later atomic.Int64 // time.Duration
}

func newLaterLocks(t *testing.T) *laterLocks {
	t.Helper()
	system, err := lock.New(t.Context(), lock.Options{MaxPerPrincipal: 3})
	if err != nil {
		t.Fatal(err)
	}
	return &laterLocks{Manager: system}
}

func (l *laterLocks) now(now time.Time) time.Time { return now.Add(time.Duration(l.later.Load())) }

func (l *laterLocks) Find(ctx context.Context, now time.Time, name string, tree bool) ([]lock.Lock, error) {
	return l.Manager.Find(ctx, l.now(now), name, tree)
}

func (l *laterLocks) Acquire(ctx context.Context, now time.Time, wanted lock.Lock) (lock.Lock, error) {
	return l.Manager.Acquire(ctx, l.now(now), wanted)
}

func (l *laterLocks) Renew(ctx context.Context, now time.Time, token string, d time.Duration) (lock.Lock, error) {
	return l.Manager.Renew(ctx, l.now(now), token, d)
}

// TestLockExpires: §6.6.
func TestLockExpires(t *testing.T) {
	locks := newLaterLocks(t)
	s := serveMem(t, &dav.Handler{LockSystem: locks}, garden())
	token := s.lock("/f", "Timeout: Second-10")
	locks.later.Store(int64(9 * time.Second))
	if a := s.send("PUT", "/f", "x"); a.status != 423 {
		t.Errorf("PUT is %d before the lock expires", a.status)
	}
	s.wants(200, "LOCK", "/f", "If: (<"+token+">)", "Timeout: Second-10")
	locks.later.Store(int64(18 * time.Second))
	if a := s.send("PUT", "/f", "x"); a.status != 423 {
		t.Errorf("PUT is %d after a refresh", a.status)
	}
	locks.later.Store(int64(20 * time.Second))
	if a := s.send("PUT", "/f", "x"); a.status != 204 {
		t.Errorf("PUT is %d when the lock has expired", a.status)
	}
	if a := s.send("PUT", "/f", "x", "If: (<"+token+">)"); a.status != 412 {
		t.Errorf("PUT with the token of an expired lock is %d", a.status)
	}
}

func TestLockLimit(t *testing.T) {
	s := serveMem(t, &dav.Handler{LockSystem: newLaterLocks(t), Principal: byUser}, garden())
	for range 3 {
		s.lockFor(sharedBody, "/f", "X-User: ann")
	}
	a := s.send("LOCK", "/new", sharedBody, "X-User: ann")
	if a.status != 503 || !strings.Contains(a.body, "too many locks") {
		t.Errorf("the fourth lock: %d %s", a.status, a.body)
	}
	s.holds(garden())
	s.lockFor(sharedBody, "/f", "X-User: bob")
}

// TestLockStress: twenty clients compete for one lock. Each one appends to the file
// that it has read, and nothing is lost.
func TestLockStress(t *testing.T) {
	const clients, rounds = 20, 5
	s := serveLocal(t, &dav.Handler{}, layout{"/f": ""})
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for round := range rounds {
				token := ""
				for token == "" {
					a := s.send("LOCK", "/f", lockBody)
					if token = a.header.Get("Lock-Token"); token == "" && a.status != 423 {
						t.Errorf("LOCK is %d", a.status)
						return
					}
				}
				content := s.do("GET", "/f").body + fmt.Sprintf("%d:%d ", client, round)
				if a := s.send("PUT", "/f", content, "If: ("+token+")"); a.status/100 != 2 {
					t.Errorf("PUT is %d: %s", a.status, a.body)
				}
				if a := s.do("UNLOCK", "/f", "Lock-Token: "+token); a.status != 204 {
					t.Errorf("UNLOCK is %d: %s", a.status, a.body)
				}
			}
		})
	}
	wg.Wait()
	if got := len(strings.Fields(s.content("/f"))); got != clients*rounds {
		t.Errorf("%d entries, want %d", got, clients*rounds)
	}
}

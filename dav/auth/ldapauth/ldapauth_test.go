package ldapauth_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/dav/auth"
	"github.com/davd/davd/dav/auth/ldapauth"
	"github.com/davd/davd/storage"
)

// logBuffer collects a log.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func directory(t *testing.T, at string, o ldapauth.Options) (*ldapauth.Directory, *logBuffer) {
	t.Helper()
	var err error
	if o.URL, err = url.Parse(at); err != nil {
		t.Fatal(err)
	}
	log := new(logBuffer)
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	d, err := ldapauth.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, log
}

const (
	// readable lets everyone search, and readByReader only cn=reader. Without rules, users can
	// read their own entries, as in bindOnly no one can.
	readable     = "access to attrs=userPassword by anonymous auth\naccess to * by * read"
	readByReader = "access to attrs=userPassword by anonymous auth\naccess to * by dn.exact=cn=reader,dc=example read by anonymous auth"
	bindOnly     = "access to * by anonymous auth by * none"
)

// want is what an attempt must result in.
type want struct {
	name, password string
	as, groups     string // "" if it is refused
}

func (w want) check(t *testing.T, v auth.Verifier) {
	t.Helper()
	id, err := v.Verify(t.Context(), w.name, w.password)
	if w.as == "" {
		if !errors.Is(err, auth.ErrWrong) || id != nil {
			t.Errorf("%q, %q: got %+v, error %v", w.name, w.password, id, err)
		}
		return
	}
	if err != nil {
		t.Errorf("%q: %v", w.name, err)
		return
	}
	groups := slices.Sorted(slices.Values(id.Groups))
	if id.Name != w.as || strings.Join(groups, " ") != w.groups || !v.Valid(id) {
		t.Errorf("%q: got %+v, want %s in %s", w.name, id, w.as, w.groups)
	}
}

// hostile are names and passwords that must never be let in.
var hostile = []want{
	{name: "ann", password: "wrong"},
	{name: "ann", password: ""},
	{name: "", password: "right"},
	{name: "", password: ""},
	{name: "*", password: "right"},
	{name: "a*", password: "right"},
	{name: "ann)(uid=*", password: "right"},
	{name: "ann)(|(uid=*))", password: "right"},
	{name: "ann\x00", password: "right"},
	{name: "ann,ou=people,dc=example", password: "right"},
	{name: "x,uid=ann", password: "right"},
	{name: "ann+cn=Ann", password: "right"},
	{name: "{dn}", password: "right"},
	{name: "{user}", password: "right"},
	{name: "\\61nn", password: "right"},
	{name: "#616e6e", password: "right"},
	{name: "nobody", password: "right"},
	{name: "nopassword", password: "right"},
	{name: "reader", password: "reads"},
	{name: "admin", password: "admin"},
	{name: strings.Repeat("a", 256), password: "right"},
	{name: "\xff", password: "right"},
}

// TestSearchAndBind finds users by a search.
func TestSearchAndBind(t *testing.T) {
	s := startSlapd(t, readByReader)
	d, log := directory(t, s.plain, ldapauth.Options{
		BindDN: "cn=reader,dc=example", BindPassword: "reads", Base: "ou=people,dc=example",
		GroupBase: "ou=groups,dc=example", Pool: 1,
	})
	for _, w := range append(hostile,
		want{"ann", "right", "ann", "board staff"},
		want{"ANN", "right", "ann", "board staff"},
		want{" ann ", "right", "ann", "board staff"},
		want{"bob", "right", "bob", ""},
		want{"zoë (x)", "right", "zoë (x)", "staff"},
		want{"twin", "right", "", ""},
	) {
		w.check(t, d)
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "several entries of the directory match a user name") {
		t.Errorf("logged %s", got)
	}
	for name, as := range map[string]string{"ANN": "ann", "nobody": "", "*": "", "\x00": ""} {
		id, err := d.Find(t.Context(), name)
		if as == "" && !errors.Is(err, auth.ErrUnknown) || as != "" && (err != nil || id.Name != as || len(id.Groups) != 2) {
			t.Errorf("found %q: %+v, error %v", name, id, err)
		}
	}
}

// TestFilters uses other attributes.
func TestFilters(t *testing.T) {
	s := startSlapd(t, readable)
	d, _ := directory(t, s.unix, ldapauth.Options{
		Base: "dc=example", Filter: "(|(uid={user})(mail={user}))",
		GroupBase: "ou=groups,dc=example", GroupFilter: "(|(member={dn})(description={user}))", GroupAttribute: "CN",
	})
	want{"ann@example.com", "right", "ann", "board posix staff"}.check(t, d)
	want{"ann", "right", "ann", "board posix staff"}.check(t, d)
	d, _ = directory(t, s.plain, ldapauth.Options{Base: "dc=example", NameAttribute: "mail"})
	want{"ann", "right", "ann@example.com", ""}.check(t, d)
	want{"bob", "right", "", ""}.check(t, d) // has no such attribute
}

// TestBind finds users by a template.
func TestBind(t *testing.T) {
	const template = "uid={user},ou=people,dc=example"
	t.Run("readable", func(t *testing.T) {
		s := startSlapd(t, readable)
		d, log := directory(t, s.plain, ldapauth.Options{UserDN: template, GroupBase: "ou=groups,dc=example", Pool: 1})
		for _, w := range append(hostile,
			want{"ann", "right", "ann", "board staff"},
			want{"Ann", "right", "ann", "board staff"},
			want{"bob", "right", "bob", ""},
		) {
			w.check(t, d)
		}
		if id, err := d.Find(t.Context(), "ANN"); err != nil || id.Name != "ann" {
			t.Errorf("found %+v, error %v", id, err)
		}
		if _, err := d.Find(t.Context(), "nobody"); !errors.Is(err, auth.ErrUnknown) {
			t.Errorf("found: %v", err)
		}
		if log.String() != "" {
			t.Errorf("logged %s", log)
		}
	})
	t.Run("no one can read", func(t *testing.T) {
		s := startSlapd(t, bindOnly)
		for _, o := range []ldapauth.Options{
			{UserDN: template},
			{UserDN: template, BindDN: "cn=reader,dc=example", BindPassword: "reads"},
		} {
			d, log := directory(t, s.plain, o)
			for _, w := range append(hostile,
				want{"ann", "right", "ann", ""},
				want{"Ann", "right", "", ""}, // would be another user
				want{"ann ", "right", "", ""},
			) {
				w.check(t, d)
			}
			if id, err := d.Find(t.Context(), "ann"); !errors.Is(err, auth.ErrUnknown) {
				t.Errorf("found %+v, error %v", id, err)
			}
			if log.String() != "" {
				t.Errorf("logged %s", log)
			}
		}
	})
}

// TestTLS checks that the certificate of the server is verified.
func TestTLS(t *testing.T) {
	s := startSlapd(t, readable)
	for _, tt := range []struct {
		name, url string
		startTLS  bool
		roots     *x509.CertPool
		fails     bool
	}{
		{"ldaps", s.secure, false, s.roots, false},
		{"ldaps, unknown authority", s.secure, false, nil, true},
		{"StartTLS", s.plain, true, s.roots, false},
		{"StartTLS, unknown authority", s.plain, true, nil, true},
		{"ldaps, another name", strings.Replace(s.secure, "localhost", "127.0.0.2", 1), false, s.roots, true},
		{"ldaps at the port of ldap", strings.Replace(s.plain, "ldap://", "ldaps://", 1), false, s.roots, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, _ := directory(t, tt.url, ldapauth.Options{
				Base: "dc=example", StartTLS: tt.startTLS, TLS: &tls.Config{RootCAs: tt.roots, MinVersion: tls.VersionTLS12}, Timeout: 5 * time.Second,
			})
			_, err := d.Verify(t.Context(), "ann", "right")
			if (err != nil) != tt.fails || errors.Is(err, auth.ErrWrong) {
				t.Errorf("got error %v", err)
			}
		})
	}
}

// TestMisconfigured checks that errors of the operator are not those of the user.
func TestMisconfigured(t *testing.T) {
	s := startSlapd(t, readByReader)
	for name, o := range map[string]ldapauth.Options{
		"wrong service password": {Base: "dc=example", BindDN: "cn=reader,dc=example", BindPassword: "wrong"},
		"no such service":        {Base: "dc=example", BindDN: "cn=none,dc=example", BindPassword: "wrong"},
		"no such base":           {Base: "ou=none,dc=example", BindDN: "cn=reader,dc=example", BindPassword: "reads"},
		"another suffix":         {Base: "dc=other", BindDN: "cn=reader,dc=example", BindPassword: "reads"},
		"no such group base":     {Base: "dc=example", GroupBase: "ou=none,dc=example", BindDN: "cn=reader,dc=example", BindPassword: "reads"},
	} {
		d, log := directory(t, s.plain, o)
		if _, err := d.Verify(t.Context(), "ann", "right"); err == nil || errors.Is(err, auth.ErrWrong) {
			t.Errorf("%s: got error %v", name, err)
		}
		if got := log.String(); !strings.Contains(got, "level=ERROR") || strings.Contains(got, "reads") {
			t.Errorf("%s: logged %s", name, got)
		}
	}
	for name, o := range map[string]ldapauth.Options{
		"nothing":         {},
		"both":            {Base: "dc=example", UserDN: "uid={user},dc=example"},
		"a bad template":  {UserDN: "{user}"},
		"a bad base":      {Base: "example"},
		"a bad filter":    {Base: "dc=example", Filter: "(uid={user}"},
		"no name":         {Base: "dc=example", Filter: "(uid=ann)"},
		"a bad group":     {Base: "dc=example", GroupFilter: "member={dn})("},
		"a bad bind name": {Base: "dc=example", BindDN: "reader"},
	} {
		o.URL = &url.URL{Scheme: "ldap", Host: "127.0.0.1"}
		if _, err := ldapauth.New(o); err == nil || !strings.HasPrefix(err.Error(), "LDAP: ") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
	if _, err := ldapauth.New(ldapauth.Options{Base: "dc=example", URL: &url.URL{Scheme: "http", Host: "x"}}); err == nil {
		t.Error("http is accepted")
	}
}

// get sends a request through a handler with a real connection, and returns the status.
func get(t *testing.T, server *httptest.Server, user, password string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
		t.Error("a 503 without Retry-After")
	}
	return response.StatusCode
}

// TestUnreachable checks that a server that stops costs no user who is remembered anything,
// that others get a 503, and that they can log in when it is back.
func TestUnreachable(t *testing.T) {
	s := startSlapd(t, readable)
	d, log := directory(t, s.plain, ldapauth.Options{Base: "dc=example", GroupBase: "dc=example", Timeout: 2 * time.Second})
	var groups []string
	server := httptest.NewServer(&auth.Handler{Verifier: d, Next: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		groups = storage.GroupsOf(r.Context())
	})})
	t.Cleanup(server.Close)
	wantStatus := func(user, password string, want int) {
		t.Helper()
		if got := get(t, server, user, password); got != want {
			t.Errorf("%s: %d, want %d", user, got, want)
		}
	}
	wantStatus("ann", "right", http.StatusOK)
	if len(groups) != 2 {
		t.Errorf("groups %v", groups)
	}
	wantStatus("bob", "wrong", http.StatusUnauthorized)
	s.stop()
	for range 5 {
		wantStatus("ann", "right", http.StatusOK)
		wantStatus("bob", "right", http.StatusServiceUnavailable)
		wantStatus("ann", "wrong", http.StatusServiceUnavailable)
	}
	if got := log.String(); strings.Count(got, "level=ERROR") != 1 {
		t.Errorf("logged %s", got)
	}
	s.start()
	for begin := time.Now(); get(t, server, "bob", "right") != http.StatusOK; time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("bob can't log in again")
		}
	}
	if got := log.String(); !strings.Contains(got, `level=INFO msg="the directory can be used again"`) {
		t.Errorf("logged %s", got)
	}
	// A server that was restarted has closed the idle connections.
	s.stop()
	s.start()
	want{"ann", "right", "ann", "board staff"}.check(t, d)
}

// TestSilent checks that a server that accepts connections and says nothing is not waited for
// longer than the time-out, and that a client that disconnects ends the wait.
func TestSilent(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for _, tt := range []struct {
		scheme   string
		startTLS bool
	}{{"ldap", false}, {"ldap", true}, {"ldaps", false}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			const timeout = 300 * time.Millisecond
			d, _ := directory(t, tt.scheme+"://"+l.Addr().String(), ldapauth.Options{Base: "dc=example", StartTLS: tt.startTLS, Timeout: timeout})
			gone, cancel := context.WithTimeout(t.Context(), timeout/3)
			defer cancel()
			if _, err := d.Verify(gone, "ann", "right"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a client that disconnects gets %v", err)
			}
			begin := time.Now()
			if _, err := d.Verify(t.Context(), "ann", "right"); err == nil || errors.Is(err, auth.ErrWrong) || time.Since(begin) > 10*timeout {
				t.Errorf("got %v after %v", err, time.Since(begin))
			}
			begin = time.Now()
			if _, err := d.Verify(t.Context(), "ann", "right"); err == nil || time.Since(begin) > timeout/2 {
				t.Errorf("the next one waits for %v: %v", time.Since(begin), err)
			}
		})
	}
}

// TestPool checks that many logins at a time need no more connections than allowed.
func TestPool(t *testing.T) {
	s := startSlapd(t, readable)
	counting := newCounter(t, strings.TrimPrefix(s.plain, "ldap://"))
	d, _ := directory(t, "ldap://"+counting.addr, ldapauth.Options{Base: "dc=example", GroupBase: "dc=example", Pool: 3})
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			w := want{"ann", "right", "ann", "board staff"}
			if i%3 == 0 {
				w = want{"bob", "wrong", "", ""}
			}
			w.check(t, d)
		})
	}
	all.Wait()
	if total, most := counting.seen(); most > 3 || total > 3 {
		t.Errorf("%d connections, %d at a time", total, most)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := d.Verify(t.Context(), "ann", "right"); err == nil {
		t.Error("a closed directory lets users in")
	}
	for begin := time.Now(); counting.now() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("connections are left")
		}
	}
}

// counter passes connections on and counts them.
type counter struct {
	addr               string
	mu                 sync.Mutex
	total, open, atOne int
}

func newCounter(t *testing.T, to string) *counter {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c := &counter{addr: l.Addr().String()}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go c.pass(from, to)
		}
	}()
	return c
}

func (c *counter) pass(from net.Conn, to string) {
	c.count(1)
	defer c.count(-1)
	defer from.Close()
	server, err := new(net.Dialer).DialContext(context.Background(), "tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = server.(*net.TCPConn).ReadFrom(from) //nolint:forcetypeassert // it is one
		_ = server.Close()
	}()
	_, _ = from.(*net.TCPConn).ReadFrom(server) //nolint:forcetypeassert // it is one
}

func (c *counter) count(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open += n
	c.total += max(n, 0)
	c.atOne = max(c.atOne, c.open)
}

func (c *counter) seen() (total, most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total, c.atOne
}

func (c *counter) now() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open
}

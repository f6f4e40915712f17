package dav_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest"
)

// byTenant reads the escaped tenant from a header.
func byTenant(r *http.Request) string {
	tenant, _ := url.PathUnescape(r.Header.Get("X-Tenant"))
	return tenant
}

// forest has a tree for each tenant and finds it only by the context.
type forest map[string]storage.FS

// tree fails if the context has no tenant, or one without a tree.
func (f forest) tree(ctx context.Context) (storage.FS, error) {
	tenant, ok := storage.TenantOf(ctx)
	if tree := f[tenant]; ok && tree != nil {
		return tree, nil
	}
	return nil, fmt.Errorf("the tenant %q, %t, has no tree", tenant, ok)
}

func (f forest) Mkdir(ctx context.Context, name string, perm os.FileMode) error {
	tree, err := f.tree(ctx)
	if err != nil {
		return err
	}
	return tree.Mkdir(ctx, name, perm)
}

func (f forest) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	tree, err := f.tree(ctx)
	if err != nil {
		return nil, err
	}
	return tree.OpenFile(ctx, name, flag, perm)
}

func (f forest) RemoveAll(ctx context.Context, name string) error {
	tree, err := f.tree(ctx)
	if err != nil {
		return err
	}
	return tree.RemoveAll(ctx, name)
}

func (f forest) Rename(ctx context.Context, oldName, newName string) error {
	tree, err := f.tree(ctx)
	if err != nil {
		return err
	}
	return tree.Rename(ctx, oldName, newName)
}

func (f forest) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	tree, err := f.tree(ctx)
	if err != nil {
		return nil, err
	}
	return tree.Stat(ctx, name)
}

// Lstat implements storage.Lstater.
func (f forest) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	tree, err := f.tree(ctx)
	if err != nil {
		return nil, err
	}
	return storage.Lstat(ctx, tree, name)
}

// tenantTree is the initial tree of each tenant.
func tenantTree() storagetest.Tree {
	return storagetest.Tree{"/f": "f", "/c": "/", "/c/m": "m", "/d": "/", "/d/x": "x"}
}

// plantForest gives each tenant a tree. Those of files keep properties or don't.
func plantForest(tb testing.TB, tenants ...string) forest {
	tb.Helper()
	f := forest{}
	for _, tenant := range tenants {
		tree, err := local.Open(tb.TempDir())
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { _ = tree.Close() })
		storagetest.WriteTree(tb, tree, tenantTree())
		f[tenant] = tree
	}
	return f
}

// tenantStates are the kinds of state that tenants may share.
var tenantStates = map[string]func(t *testing.T, h *dav.Handler){
	"memory, by default": func(*testing.T, *dav.Handler) {},
	"lock.System": func(t *testing.T, h *dav.Handler) {
		t.Helper()
		h.LockSystem = newSystem(t, lock.Options{})
	},
	"x/net's LockSystem": func(_ *testing.T, h *dav.Handler) { h.LockSystem = webdav.NewMemLS() },
	"sqlstate": func(t *testing.T, h *dav.Handler) {
		t.Helper()
		openState(t, h, filepath.Join(t.TempDir(), "state.db"))
	},
}

func newSystem(t *testing.T, options lock.Options) *lock.System {
	t.Helper()
	system, err := lock.New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return system
}

// openState gives h all of its state from file. It returns what closes that.
func openState(t *testing.T, h *dav.Handler, file string) (closeState func()) {
	t.Helper()
	db, err := sqlstate.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	closeState = func() {
		if !closed {
			closed = true
			_ = db.Close()
		}
	}
	t.Cleanup(closeState)
	h.State = db
	return closeState
}

// tenantPairs are names of tenants that a careless encoding would confuse.
var tenantPairs = [][2]string{
	{"a", "b"}, {"", "a"}, {"a", "a/b"}, {"a/b", "a%2Fb"}, {"a", "A"}, {"..", "."}, {"/", ""}, {"\xff", "\xfe"}, {"a\x00", "a"},
}

// as adds the tenant and the user to fields.
func as(tenant, user string, fields ...string) []string {
	return append([]string{"X-Tenant: " + url.PathEscape(tenant), "X-User: " + user}, fields...)
}

const (
	setP = `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><p xmlns="u:">secret</p></D:prop></D:set></D:propertyupdate>`
	getP = `<D:propfind xmlns:D="DAV:"><D:prop><p xmlns="u:"/><D:lockdiscovery/></D:prop></D:propfind>`
)

// serveForest serves the trees of tenants with a state.
func serveForest(t *testing.T, state func(*testing.T, *dav.Handler), tenants ...string) *share {
	t.Helper()
	h := &dav.Handler{
		FileSystem: plantForest(t, tenants...), Tenant: byTenant, Principal: byHeader,
		Administrator: func(r *http.Request) bool { return r.Header.Get("X-User") == "root" },
	}
	state(t, h)
	return &share{TB: t, h: h, server: newServer(t, h)}
}

// seen is what a PROPFIND of target shows of properties and locks.
func (s *share) seen(target, tenant, user string) string {
	s.Helper()
	a := s.send("PROPFIND", target, getP, as(tenant, user, "Depth: infinity")...)
	if a.status != 207 {
		s.Errorf("PROPFIND %s by %s of %q is %d: %s", target, user, tenant, a.status, a.body)
	}
	return a.body
}

// TestTenantsApart checks that no action of a tenant affects another one with the same
// names and users.
func TestTenantsApart(t *testing.T) {
	for kind, state := range tenantStates {
		for _, pair := range tenantPairs {
			t.Run(fmt.Sprintf("%s: %q and %q", kind, pair[0], pair[1]), func(t *testing.T) {
				a, b := pair[0], pair[1]
				s := serveForest(t, state, a, b)
				s.locksApart(a, b, kind != "x/net's LockSystem")
				s.propertiesApart(a, b)
				s.contentApart(a, b)
			})
		}
	}
}

// locksApart locks all of a's tree. listed: the LockSystem lists its locks.
func (s *share) locksApart(a, b string, listed bool) {
	s.Helper()
	clean := s.seen("/", b, "ann")
	token := s.lock("/", as(a, "ann")...)
	if got := s.seen("/", b, "ann"); got != clean {
		s.Errorf("B sees %s", got)
	}
	if got := s.seen("/", a, "ben"); listed && !strings.Contains(got, "<D:lockroot><D:href>/</D:href>") {
		s.Errorf("another user of A sees no lock on /: %s", got)
	}
	s.wants(423, "PUT", "/f", as(a, "ben")...)
	s.wants(204, "PUT", "/f", as(b, "ann")...)
	s.wants(201, "MKCOL", "/new", as(b, "ann")...)
	s.wants(204, "DELETE", "/new", as(b, "ann")...)
	s.wants(412, "PUT", "/f", as(b, "ann", "If: (<"+token+">)")...)
	s.wants(412, "LOCK", "/", as(b, "ann", "If: (<"+token+">)")...)
	s.wants(409, "UNLOCK", "/", as(b, "ann", "Lock-Token: <"+token+">")...)
	s.wants(200, "LOCK", "/", as(a, "ann", "If: (<"+token+">)", "Timeout: Second-60")...)
	s.wants(204, "PUT", "/f", as(a, "ann", "If: (<"+token+">)")...)
	other := s.lock("/c", as(b, "ann")...)
	s.wants(204, "UNLOCK", "/", as(a, "ann", "Lock-Token: <"+token+">")...)
	s.wants(204, "PUT", "/c/m", as(a, "ann")...)
	s.wants(423, "PUT", "/c/m", as(b, "ben")...)
	// Every way to end A's locks must leave B's.
	mine := s.lock("/c", as(a, "ann")...)
	s.wants(204, "DELETE", "/c", as(a, "ann", "If: (<"+mine+">)")...)
	s.wants(423, "PUT", "/c/m", as(b, "ben")...)
	s.wants(201, "MKCOL", "/c", as(a, "ann")...)
	s.wants(204, "UNLOCK", "/c", as(b, "ann", "Lock-Token: <"+other+">")...)
	if conflict := s.lock("/c", as(a, "ann")...); listed {
		got := s.send("LOCK", "/c", lockBody, as(a, "ben")...)
		if got.status != 423 || !strings.Contains(got.body, "<D:href>/c/</D:href>") {
			s.Errorf("a lock in conflict is %d: %s", got.status, got.body)
		}
		s.wants(204, "UNLOCK", "/c", as(a, "ann", "Lock-Token: <"+conflict+">")...)
	}
}

// propertiesApart sets properties in a's tree and takes them along.
func (s *share) propertiesApart(a, b string) {
	s.Helper()
	clean := s.seen("/", b, "ann")
	for _, target := range []string{"/", "/d", "/d/x"} {
		s.sends(207, "PROPPATCH", target, setP, as(a, "ann")...)
	}
	s.wants(201, "COPY", "/d", as(a, "ann", "Destination: /copied")...)
	s.wants(201, "MOVE", "/d", as(a, "ann", "Destination: /moved")...)
	if got := s.seen("/", b, "ann"); got != clean {
		s.Errorf("B sees %s", got)
	}
	if got := strings.Count(s.seen("/", a, "ben"), "secret"); got != 5 {
		s.Errorf("another user of A sees %d properties of 5", got)
	}
	// B's changes of the same names must leave A's properties.
	s.sends(207, "PROPPATCH", "/d/x", setP, as(b, "ann")...)
	s.wants(204, "DELETE", "/d", as(b, "ann")...)
	s.wants(201, "MKCOL", "/moved", as(b, "ann")...)
	if got := strings.Count(s.seen("/", a, "ben"), "secret"); got != 5 {
		s.Errorf("of A's properties %d are left of 5", got)
	}
	s.wants(204, "DELETE", "/moved", as(a, "ann")...)
	s.wants(204, "DELETE", "/copied", as(a, "ann")...)
}

// contentApart checks that the trees are separate.
func (s *share) contentApart(a, b string) {
	s.Helper()
	s.sends(204, "PUT", "/f", "of A", as(a, "ann")...)
	s.sends(204, "PUT", "/f", "of B", as(b, "ann")...)
	if got := s.wants(200, "GET", "/f", as(a, "ann")...); got.body != "of A" {
		s.Errorf("A reads %q", got.body)
	}
	s.wants(204, "DELETE", "/f", as(a, "ann")...)
	s.wants(204, "DELETE", "/f", as(b, "ann")...)
}

// TestTenantOperations checks that a tenant neither waits for, joins nor sees
// operations of another, and never gets another's answer.
func TestTenantOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &dav.Handler{Administrator: func(r *http.Request) bool { return r.Header.Get("X-User") == "root" }}
		s, g := inBubble(t, h)
		open := plant(t)
		h.FileSystem, h.Tenant = forest{"a": g, "b": open}, byTenant
		first, second := s.dial(), s.dial()
		first.ask("DELETE /src", as("a", "ann", "Prefer: respond-async")...)
		_, accepted := first.final()
		location := accepted.header.Get("Location")
		if accepted.status != 202 || location == "" {
			t.Fatalf("accepted with %d, %q", accepted.status, location)
		}
		start := time.Now()
		if a := second.gets("DELETE /src", as("b", "ann")...); a.status != 204 || exists(t, open, "/src") {
			t.Errorf("B's DELETE is %d, and its /src is there: %t", a.status, exists(t, open, "/src"))
		}
		if waited := time.Since(start); waited > 0 {
			t.Errorf("B has waited %v for A", waited)
		}
		check := func() {
			t.Helper()
			for _, user := range []string{"ann", "root", ""} {
				for _, method := range []string{"GET", "DELETE", "POST"} {
					if a := second.gets(method+" "+location, as("b", user, "Sec-Fetch-Site: same-origin")...); a.status != 404 {
						t.Errorf("%s of A's operation by %q of B is %d: %s", method, user, a.status, a.body)
					}
				}
				if a := second.gets("GET /.davd-operations/", as("b", user)...); strings.Contains(a.body, location) {
					t.Errorf("the list of %q of B is %s", user, a.body)
				}
			}
			for _, user := range []string{"ann", "root"} {
				a := second.gets("GET "+location, as("a", user)...)
				list := second.gets("GET /.davd-operations/", as("a", user)...)
				if a.status != 200 || !strings.Contains(list.body, location) || strings.Contains(a.body+list.body, "tenant") {
					t.Errorf("%q of A sees %d %s, and the list %s", user, a.status, a.body, list.body)
				}
			}
		}
		check()
		g.open()
		synctest.Wait()
		check()
		if operations := h.Operations(); len(operations) != 0 {
			t.Errorf("under way are %v", operations)
		}
	})
}

// TestTenantKeptAnswer checks that only its own tenant gets a lost answer, and that
// changes by another do not invalidate it.
func TestTenantKeptAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &dav.Handler{}
		s, g := inBubble(t, h)
		h.FileSystem, h.Tenant = forest{"a": g, "b": plant(t)}, byTenant
		lose(s, g, "MOVE /src", as("a", "ann", "Destination: /dst")...)
		if a := s.dial().gets("DELETE /src", as("b", "ann")...); a.status != 204 {
			t.Errorf("DELETE by B is %d", a.status)
		}
		if a := s.dial().gets("MOVE /src", as("b", "ann", "Destination: /dst")...); a.status != 404 {
			t.Errorf("B is told %d, which is A's answer", a.status)
		}
		if a := s.dial().gets("MOVE /src", as("a", "ann", "Destination: /dst")...); a.status != 201 {
			t.Errorf("A is told %d", a.status)
		}
	})
}

// TestTenantsRestart checks that after a restart each tenant has its locks, properties
// and records, and that interrupted operations are finished or undone in the right
// tree.
func TestTenantsRestart(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.db")
	trees := plantForest(t, "a", "b")
	g := newGate(trees["a"])
	h := &dav.Handler{FileSystem: forest{"a": g, "b": trees["b"]}, Tenant: byTenant, Principal: byHeader}
	closeState := openState(t, h, state)
	s := &share{TB: t, h: h, server: newServer(t, h)}
	s.sends(207, "PROPPATCH", "/f", setP, as("a", "ann")...)
	s.sends(207, "PROPPATCH", "/d", setP, as("a", "ann")...)
	token := s.lock("/f", as("a", "ann")...)
	// As if the process had died in a LOCK of a new resource.
	s.lock("/made", as("a", "ann")...)
	s.lock("/made", as("b", "ann")...)
	if err := trees["a"].RemoveAll(t.Context(), "/made"); err != nil {
		t.Fatal(err)
	}
	g.waiting = make(chan struct{}, 1000)
	g.close()
	accepted := s.wants(202, "COPY", "/d", as("a", "ann", "Destination: /new", "Prefer: respond-async, wait=0")...)
	location := accepted.header.Get("Location")
	<-g.waiting
	found := crash(t, state)

	next := &dav.Handler{FileSystem: trees, Tenant: byTenant, Principal: byHeader}
	openState(t, next, found)
	recovered, err := next.Recover(t.Context())
	if err != nil || len(recovered) != 2 || recovered[0].Err != nil || !recovered[0].Entry.OfTenant("a", true) || recovered[1].Entry.Method != "LOCK" {
		t.Errorf("recovered %+v, %v", recovered, err)
	}
	n := &share{TB: t, h: next, server: newServer(t, next)}
	clean := n.seen("/", "b", "ann")
	if strings.Contains(clean, "secret") || strings.Count(clean, "<D:activelock>") != 1 {
		t.Errorf("B sees %s", clean)
	}
	if got := n.seen("/", "a", "ann"); strings.Count(got, "secret") != 2 || !strings.Contains(got, token) {
		t.Errorf("A sees %s", got)
	}
	n.wants(404, "GET", location, as("b", "ann")...)
	if a := n.wants(200, "GET", location, as("a", "ann")...); !strings.Contains(a.body, `"undone"`) {
		t.Errorf("the record is %s", a.body)
	}
	n.wants(423, "PUT", "/f", as("a", "ann")...)
	n.wants(204, "PUT", "/f", as("b", "ann")...)
	g.open()
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	s.server.Close()
	closeState()
}

// TestTenantTooLong checks that a tenant with too long a name gets 500, and that the
// log says why.
func TestTenantTooLong(t *testing.T) {
	var logged error
	h := &dav.Handler{
		FileSystem: webdav.NewMemFS(), Logger: func(_ *http.Request, err error) { logged = err },
		Tenant: func(*http.Request) string { return strings.Repeat("x", 1025) },
	}
	s := &share{TB: t, h: h, server: newServer(t, h)}
	s.wants(500, "PUT", "/f")
	if logged == nil || !strings.Contains(logged.Error(), "Handler.Tenant") {
		t.Errorf("logged %v", logged)
	}
}

// TestTenantHeldProperties: whether files keep their properties is found out for each
// tenant, and the files' names are their own.
func TestTenantHeldProperties(t *testing.T) {
	trees := plantForest(t, "a")
	trees["b"] = webdav.NewMemFS()
	storagetest.WriteTree(t, trees["b"], tenantTree())
	h := &dav.Handler{FileSystem: trees, Tenant: byTenant}
	s := &share{TB: t, h: h, server: newServer(t, h)}
	for _, tenant := range []string{"a", "b"} {
		if got := s.seen("/", tenant, ""); strings.Contains(got, "secret") {
			t.Errorf("%s sees %s", tenant, got)
		}
		s.sends(207, "PROPPATCH", "/f", setP, as(tenant, "")...)
		if got := s.seen("/", tenant, ""); strings.Count(got, "secret") != 1 {
			t.Errorf("%s sees %s", tenant, got)
		}
	}
}

// principals is storage that notes for whom it is called.
type principals struct {
	storage.FS
	mu   sync.Mutex
	seen map[string]bool
}

func (p *principals) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	p.mu.Lock()
	p.seen[storage.PrincipalOf(ctx)] = true
	p.mu.Unlock()
	return p.FS.Mkdir(ctx, name, perm)
}

// TestPrincipalInContext: the storage learns for whom it is called, also in an operation. A
// principal that another handler has put into the context doesn't count.
func TestPrincipalInContext(t *testing.T) {
	for principal, of := range map[string]func(*http.Request) string{
		"ann": func(*http.Request) string { return "ann" },
		"":    nil,
	} {
		fsys := &principals{FS: webdav.NewMemFS(), seen: map[string]bool{}}
		h := &dav.Handler{FileSystem: fsys, Principal: of}
		for _, request := range []string{"MKCOL /c", "COPY /c"} {
			method, name, _ := strings.Cut(request, " ")
			r := httptest.NewRequestWithContext(storage.WithPrincipal(t.Context(), "eve"), method, name, nil)
			r.Header.Set("Destination", "/d")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusCreated {
				t.Errorf("%s: %d", request, w.Code)
			}
		}
		if len(fsys.seen) != 1 || !fsys.seen[principal] {
			t.Errorf("called for %v, want %q", fsys.seen, principal)
		}
	}
}

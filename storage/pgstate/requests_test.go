package pgstate

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/dirblobs"
	objectnames "github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/pgtest"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// site is a server whose files have their names in the database of its state.
type site struct {
	db    *DB
	names *objectnames.Space
	blobs blobs.Store
	fsys  *objectfs.FS
	h     *dav.Handler
}

// newPrime returns a site that takes over from dead servers.
func newPrime(t *testing.T, db *DB, store blobs.Store) *site {
	t.Helper()
	var s *site
	ready := make(chan struct{})
	run(t, db, func(ctx context.Context, works []cluster.Adopted) {
		select {
		case <-ready: // There may be works at once.
			s.h.TakeOver(ctx, works)
		case <-ctx.Done():
		}
	})
	s = newSite(t, db, store)
	close(ready)
	return s
}

// inDirectory returns a store of objects in a directory.
func inDirectory(t *testing.T, dir string) blobs.Store {
	t.Helper()
	store, err := dirblobs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func newSite(t *testing.T, db *DB, store blobs.Store) *site {
	t.Helper()
	space, err := objectnames.Open(t.Context(), objectnames.Options{Database: db, Identity: store.Identity()})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{db: db, names: space, blobs: store, fsys: objectfs.New(objectfs.Options{Names: space, Blobs: store, State: db, Inline: 3})}
	s.h = &dav.Handler{FileSystem: s.fsys, State: db, OnePerson: true}
	return s
}

// send sends a request, whose context has the values of ctx on the server.
func (s *site) send(ctx context.Context, t *testing.T, line, body string, fields ...string) (status int) {
	t.Helper()
	server := httptest.NewUnstartedServer(s.h)
	server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	server.Start()
	defer server.Close()
	method, target, _ := strings.Cut(line, " ")
	r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), method, server.URL+target, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	response, err := server.Client().Do(r)
	if err != nil {
		t.Errorf("%s: %v", line, err)
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Errorf("%s: %v", line, err)
	}
	return response.StatusCode
}

// step pauses a request once, before or after a round trip. It counts them.
type step struct {
	mu             sync.Mutex
	at, moments    int // at is which moment; 0 for none
	where          string
	claimed        bool // It had at least begun to claim the names.
	kills          bool // It kills this process instead of pausing.
	paused, resume chan struct{}
}

type stepping struct{}

func stepHere(ctx context.Context, statement string, done bool) {
	p, ok := ctx.Value(stepping{}).(*step)
	if !ok {
		return
	}
	p.mu.Lock()
	p.moments++
	p.claimed = p.claimed || p.moments <= p.at && statement == "BEGIN"
	here := p.moments == p.at
	if here {
		p.where = fmt.Sprintf("%.60s, done %v", statement, done)
	}
	p.mu.Unlock()
	if here && p.kills {
		killSelf()
	}
	if here {
		close(p.paused)
		<-p.resume
	}
}

// killSelf ends this process as kill -9 does.
func killSelf() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}

const (
	setProperty = `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">v</x></prop></set></propertyupdate>`
	wantLock    = `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`
)

// steppedRequest is a request in the collection that {} stands for.
type steppedRequest struct {
	name, line, body string
	fields           []string
}

func steppedRequests() []steppedRequest {
	return []steppedRequest{
		{"PUT, new", "PUT {}/new", "new content", nil},
		{"PUT", "PUT {}/f", "other content", nil},
		{"PATCH", "PATCH {}/f", "XY", []string{"Content-Type: application/x-sabredav-partialupdate", "X-Update-Range: bytes=1-2"}},
		{"MKCOL", "MKCOL {}/new", "", nil},
		{"PROPPATCH", "PROPPATCH {}/f", setProperty, nil},
		{"LOCK", "LOCK {}/f", wantLock, nil},
		{"LOCK, new", "LOCK {}/new", wantLock, nil},
		{"DELETE", "DELETE {}/c", "", nil},
		{"MOVE", "MOVE {}/c", "", []string{"Destination: {}/new"}},
		{"MOVE, replacing", "MOVE {}/c", "", []string{"Destination: {}/old"}},
		{"COPY", "COPY {}/c", "", []string{"Destination: {}/new"}},
		{"COPY, replacing", "COPY {}/c", "", []string{"Destination: {}/old"}},
	}
}

// plant fills the collection dir.
func (s *site) plant(t *testing.T, dir string) {
	t.Helper()
	storagetest.WriteTree(t, s.fsys, storagetest.Tree{
		dir: "/", dir + "/f": "content of f", dir + "/c": "/", dir + "/c/f": "content of c/f", dir + "/c/d": "/", dir + "/c/d/g": "g",
		dir + "/old": "/", dir + "/old/o": "old content",
	})
	for _, name := range []string{"/c/f", "/old/o"} {
		if status := s.send(t.Context(), t, "PROPPATCH "+dir+name, setProperty); status != http.StatusMultiStatus {
			t.Fatalf("PROPPATCH is %d", status)
		}
	}
}

// look returns everything in the collection dir: files, with their properties, and locks.
func (s *site) look(t *testing.T, dir string) storagetest.Tree {
	t.Helper()
	return s.describe(t, dir, storagetest.ReadTree(t, s.fsys, dir))
}

// describe adds properties and locks to the tree of the collection dir.
func (s *site) describe(t *testing.T, dir string, tree storagetest.Tree) storagetest.Tree {
	t.Helper()
	all := storagetest.Tree{}
	for name, content := range tree {
		all[strings.TrimPrefix(name, dir)] = content
	}
	for _, name := range slices.Collect(maps.Keys(all)) {
		props, _, err := s.db.Properties().Read(t.Context(), deadprops.Query{Names: []string{dir + name}})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range props[dir+name] {
			all[name+" "+p.XMLName.Local] = string(p.InnerXML)
		}
	}
	locks, err := s.db.Locks().Find(t.Context(), time.Now(), dir, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range locks {
		all["lock of "+strings.TrimPrefix(l.Root, dir)] = ""
	}
	return all
}

// TestRequestPausePoints: a server is paused before or after any round trip of a request, declared
// dead, and resumed after another server has taken over. What it has answered is true, and the change
// was made as a whole or not at all. Nothing changes after the takeover.
func TestRequestPausePoints(t *testing.T) {
	dsn, objects := pgtest.Database(t), t.TempDir()
	db := open(t, dsn, Options{Name: "by"})
	by := newPrime(t, db, inDirectory(t, objects))
	for _, r := range steppedRequests() {
		t.Run(r.name, func(t *testing.T) {
			dir := "/" + strings.ReplaceAll(r.name, " ", "") + "-"
			by.plant(t, dir+"0")
			before := by.look(t, dir+"0")
			counted := &step{}
			node := newSite(t, member(t, dsn, Options{Name: "counted", hook: stepHere}), inDirectory(t, objects))
			if status := node.request(t, r, dir+"0", counted); status/100 != 2 {
				t.Fatalf("%d", status)
			}
			t.Logf("%d round trips", counted.moments/2)
			after := by.look(t, dir+"0")
			if maps.Equal(before, after) {
				t.Fatal("it has changed nothing")
			}
			for _, at := range sweep.Steps(t, counted.moments, 4) {
				// Each has a server of its own, which is closed at its end.
				t.Run(strconv.Itoa(at), func(t *testing.T) { by.pause(t, r, dsn, objects, dir, at, before, after) })
			}
		})
	}
	if n := count(t, db, "SELECT (SELECT count(*) FROM work) + (SELECT count(*) FROM claims)"); n > 0 {
		t.Errorf("%d works and claims are left", n)
	}
}

func (s *site) request(t *testing.T, r steppedRequest, dir string, p *step) int {
	t.Helper()
	fields := make([]string, len(r.fields))
	for i, field := range r.fields {
		fields[i] = strings.ReplaceAll(field, "{}", dir)
	}
	return s.send(context.WithValue(t.Context(), stepping{}, p), t, strings.ReplaceAll(r.line, "{}", dir), r.body, fields...)
}

// pause is TestRequestPausePoints for one request and moment.
func (s *site) pause(t *testing.T, r steppedRequest, dsn, objects, dir string, at int, before, after storagetest.Tree) {
	t.Helper()
	dir = fmt.Sprint(dir, at)
	s.plant(t, dir)
	timing := quick()
	timing.Idle = 200 * time.Millisecond
	timing.Renew = time.Hour // The whole process is paused.
	db := open(t, dsn, Options{Name: "paused", Timing: timing, hook: stepHere})
	stop := run(t, db, nil)
	node := newSite(t, db, inDirectory(t, objects))
	p := &step{at: at, paused: make(chan struct{}), resume: make(chan struct{})}
	answered := make(chan int)
	go func() { answered <- node.request(t, r, dir, p) }()
	var status int
	select {
	case status = <-answered: // There were fewer moments this time.
	case <-p.paused:
		declare(t, db, s.db)
		eventually(t, "the work is settled", func() bool { return count(t, s.db, "SELECT count(*) FROM work") == 0 })
		is := s.look(t, dir)
		close(p.resume)
		status = <-answered
		// A request that had claimed nothing is carried out if the server has joined again.
		if now := s.look(t, dir); p.claimed && !maps.Equal(is, now) {
			t.Errorf("at %d, %s: the dead server has changed\n%q\nto\n%q", at, p.where, is, now)
		}
	}
	stop()
	is := s.look(t, dir)
	done, nothing := maps.Equal(is, after), maps.Equal(is, before)
	switch {
	case status/100 == 2 && done, status == http.StatusServiceUnavailable && (done || nothing):
	default:
		t.Errorf("at %d, %s: the answer is %d, and the collection has\n%q\nwant\n%q\nor\n%q", at, p.where, status, is, after, before)
	}
	for name := range is {
		if storage.Reserved(path.Clean("/" + name)) {
			t.Errorf("at %d, %s: %s is left", at, p.where, name)
		}
	}
}

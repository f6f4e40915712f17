//go:build unix

package dav_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/mount"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/sweep"
	"github.com/davd/davd/storage/tree"
)

// sharesSite is a Handler of the shares /a and /b with its state.
type sharesSite struct {
	*dav.Handler
	fsys *mount.FS
	db   *sqlstate.DB
	// absent says that the share /b can't be opened.
	absent atomic.Bool
}

// openShares opens the state in dir and the shares /a and /b, whose directories are a and b, as
// after a restart. step is called before each step that changes something.
func openShares(dir, a, b string, step func()) (*sharesSite, error) {
	s := &sharesSite{}
	open := func(dir string, absent *atomic.Bool) func(context.Context, string) (storage.FS, error) {
		return func(context.Context, string) (storage.FS, error) {
			if absent.Load() {
				return nil, errors.New("the disk is not mounted")
			}
			return local.Open(dir)
		}
	}
	var err error
	s.fsys, err = mount.New(
		mount.Share{ID: "one", At: "/a", Open: open(a, new(atomic.Bool))},
		mount.Share{ID: "two", At: "/b", Open: open(b, &s.absent)},
	)
	if err != nil {
		return nil, err
	}
	if s.db, err = sqlstate.Open(context.Background(), filepath.Join(dir, "state.db")); err != nil {
		return nil, err
	}
	kept := steppedState{db: s.db, step: step}
	locks, err := lock.New(context.Background(), lock.Options{Store: kept})
	if err != nil {
		return nil, err
	}
	fault := &storagetest.Fault{FS: s.fsys, Before: func(op, _ string) error {
		if op == "copymembers" || slices.Contains(changing, op) {
			step()
		}
		return nil
	}}
	state := &parts{State: s.db, locks: locks, properties: kept, journal: kept, history: history.NewMem()}
	s.Handler = &dav.Handler{FileSystem: fault, State: s.fsys.State(state)}
	return s, nil
}

func (s *sharesSite) close() error { return errors.Join(s.db.Close(), s.fsys.Close()) }

// shares are the directories of two shares, and that of the state.
type shares struct{ state, a, b string }

// newShares creates two directories, on two filesystems if apart is true.
func newShares(t *testing.T, apart bool) shares {
	t.Helper()
	s := shares{t.TempDir(), t.TempDir(), t.TempDir()}
	if !apart {
		return s
	}
	dir, err := os.MkdirTemp("/dev/shm", "davd") //nolint:usetesting // it must be on another filesystem
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	s.b = dir
	if err := os.Link(s.a, s.b+"/link"); err == nil {
		t.Skip("the two directories are on one filesystem")
	}
	return s
}

func (s shares) open(t *testing.T) *sharesSite {
	t.Helper()
	site, err := openShares(s.state, s.a, s.b, func() {})
	if err != nil {
		t.Fatal(err)
	}
	return site
}

// build creates what kinds says: the kinds of things by their names. Each resource gets a
// property.
func (s shares) build(t *testing.T, kinds map[string]string) {
	t.Helper()
	site, err := openShares(s.state, s.a, s.b, func() {})
	if err != nil {
		t.Fatal(err)
	}
	for root, kind := range kinds {
		for _, below := range slices.Sorted(maps.Keys(things[kind])) {
			name, content := root+below, things[kind][below]
			if content == "/" {
				must(t, site.fsys.Mkdir(t.Context(), name, 0o777))
			} else {
				storagetest.WriteTree(t, site.fsys, storagetest.Tree{name: root + "'s " + content})
			}
			property := webdav.Property{XMLName: xml.Name{Space: "urn:x", Local: "p"}, InnerXML: []byte("of " + name)}
			must(t, site.State.Properties().Patch(t.Context(), name, []webdav.Proppatch{{Props: []webdav.Property{property}}}))
		}
	}
	must(t, site.close())
}

// found returns everything in the shares, with properties.
func (s *sharesSite) found(t *testing.T) map[string]string {
	t.Helper()
	found := storagetest.ReadTree(t, s.fsys, "/")
	for name, content := range found {
		props, _, err := s.State.Properties().Read(t.Context(), deadprops.Query{Names: []string{name}})
		must(t, err)
		for _, p := range props[name] {
			found[name] = content + ", property " + string(p.InnerXML)
		}
	}
	return found
}

// onDisk returns everything in the two directories.
func (s shares) onDisk(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, dir := range []string{s.a, s.b} {
		must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
			if err != nil {
				return err
			}
			found[path] = "/"
			if info.Mode().IsRegular() {
				content, err := os.ReadFile(path)
				found[path] = string(content)
				return err
			}
			return nil
		}))
	}
	return found
}

// transferred returns what a COPY or MOVE of /a/src to /b/dst makes of was.
func transferred(was map[string]string, method string) map[string]string {
	is := map[string]string{}
	for name, what := range was {
		switch {
		case storage.Contains("/a/src", name):
			is["/b/dst"+strings.TrimPrefix(name, "/a/src")] = what
			if method == "COPY" {
				is[name] = what
			}
		case !storage.Contains("/b/dst", name):
			is[name] = what
		}
	}
	return is
}

// TestRecoverBetweenShares kills a COPY or MOVE from one share to another before each of its steps.
// Recovery must not touch anything when the directories of the shares have been swapped, or one is
// absent. After that, source, destination and properties are old or new.
func TestRecoverBetweenShares(t *testing.T) {
	for _, apart := range []bool{false, true} {
		for _, method := range []string{"COPY", "MOVE"} {
			for _, src := range []string{"file", "collection"} {
				for _, dst := range []string{"nothing", "file", "collection"} {
					name := fmt.Sprintf("apart=%t, %s: a %s onto %s", apart, method, src, dst)
					t.Run(name, func(t *testing.T) {
						kinds := map[string]string{"/a/src": src, "/b/dst": dst, "/a/other": "file", "/b/other": "collection"}
						steps, _, err := parseSteps(killShares(t, newShares(t, apart), kinds, method, 0))
						if err != nil {
							t.Fatal(err)
						}
						for _, step := range sweep.Steps(t, steps, 3) {
							s := newShares(t, apart)
							killShares(t, s, kinds, method, step)
							recoverShares(t, s, method, fmt.Sprintf("step %d of %d", step, steps), kinds)
						}
					})
				}
			}
		}
	}
}

// killShares builds the shares and kills a request before the step.
func killShares(t *testing.T, s shares, kinds map[string]string, method string, step int) string {
	t.Helper()
	s.build(t, kinds)
	request := victimRequest{Method: method, Path: "http://h/a/src", Header: map[string]string{"Destination": "http://h/b/dst"}}
	return runVictim(t, victim{Dir: s.state, Shares: []string{s.a, s.b}, Step: int64(step), Requests: []victimRequest{request}})
}

// recoverShares recovers in three ways and checks the result.
func recoverShares(t *testing.T, s shares, method, when string, kinds map[string]string) {
	t.Helper()
	killed := s.onDisk(t)
	unchanged := func(how string, recovered []tree.Recovery, err error) {
		t.Helper()
		must(t, err)
		for _, r := range recovered {
			if r.Result != tree.Left || r.Err == nil {
				t.Errorf("%s, %s: %s is %s, %v", when, how, r.Entry, r.Result, r.Err)
			}
		}
		if got := s.onDisk(t); !maps.Equal(got, killed) {
			t.Errorf("%s, %s: the disks have\n%q, and had\n%q", when, how, got, killed)
		}
	}
	swapped, err := openShares(s.state, s.b, s.a, func() {})
	if err != nil {
		t.Fatal(err)
	}
	recovered, err := swapped.Recover(t.Context())
	unchanged("swapped", recovered, err)
	must(t, swapped.close())

	removed := s.open(t)
	must(t, removed.fsys.Set([]mount.Share{{ID: "two", At: "/b", Open: func(context.Context, string) (storage.FS, error) { return local.Open(s.b) }}}))
	recovered, err = removed.Recover(t.Context())
	unchanged("removed", recovered, err)
	for _, r := range recovered {
		if !errors.Is(r.Err, tree.ErrAbsent) || r.Entry.Source != "/a/src" || r.Entry.Destination != "/b/dst" {
			t.Errorf("%s, without a share: %s, %v", when, r.Entry, r.Err)
		}
	}
	must(t, removed.close())

	site := s.open(t)
	site.absent.Store(true)
	recovered, err = site.Recover(t.Context())
	unchanged("absent", recovered, err)
	must(t, site.close())

	again := s.open(t)
	recovered, err = again.Recover(t.Context())
	must(t, err)
	for _, r := range recovered {
		if r.Result == tree.Left {
			t.Errorf("%s: %s is left: %v", when, r.Entry, r.Err)
		}
	}
	checkShares(t, s, again, method, when, kinds)
	must(t, again.close())
}

func checkShares(t *testing.T, s shares, site *sharesSite, method, when string, kinds map[string]string) {
	t.Helper()
	fresh := newShares(t, false)
	fresh.build(t, kinds)
	before := fresh.open(t)
	was := before.found(t)
	must(t, before.close())
	got := site.found(t)
	if done := transferred(was, method); !maps.Equal(got, was) && !maps.Equal(got, done) {
		t.Errorf("%s: the shares have\n%q, want\n%q or\n%q", when, got, was, done)
	}
	for path := range s.onDisk(t) {
		if strings.Contains(path, storage.ReservedPrefix) {
			t.Errorf("%s: %s is left", when, path)
		}
	}
	if left, err := site.db.LoadRecords(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("%s: the journal has %q, %v", when, left, err)
	}
}

// TestRecoverKeepsChanges changes a file of the source of a MOVE between the kill and the recovery,
// which may be a long time. The change must not be lost.
func TestRecoverKeepsChanges(t *testing.T) {
	kinds := map[string]string{"/a/src": "collection", "/b/dst": "collection"}
	steps, _, err := parseSteps(killShares(t, newShares(t, true), kinds, "MOVE", 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range sweep.Steps(t, steps, 8) {
		s := newShares(t, true)
		killShares(t, s, kinds, "MOVE", step)
		if _, err := os.Stat(s.a + "/src/f"); err != nil {
			continue // It is removed already.
		}
		must(t, os.WriteFile(s.a+"/src/f", []byte("changed"), 0o600))
		site := s.open(t)
		recovered, err := site.Recover(t.Context())
		must(t, err)
		if got, err := os.ReadFile(s.a + "/src/f"); string(got) != "changed" {
			t.Errorf("step %d of %d: %q, %v; recovered %v", step, steps, got, err, recovered)
		}
		must(t, site.close())
	}
}

// TestRecoverWhileServing checks that an operation between two shares is recovered when the absent
// share returns, while requests are served, and that a running operation is left alone.
func TestRecoverWhileServing(t *testing.T) {
	s := newShares(t, false)
	kinds := map[string]string{"/a/src": "collection", "/b/dst": "collection"}
	steps, _, err := parseSteps(killShares(t, newShares(t, false), kinds, "COPY", 0))
	if err != nil {
		t.Fatal(err)
	}
	killShares(t, s, kinds, "COPY", steps/4)
	site := s.open(t)
	defer func() { must(t, site.close()) }()
	site.absent.Store(true)
	recovered, err := site.Recover(t.Context())
	if err != nil || len(recovered) != 1 || !errors.Is(recovered[0].Err, storage.ErrUnavailable) {
		t.Fatalf("with an absent share: %v, %v", recovered, err)
	}
	for path, want := range map[string]int{"/a/src/f": http.StatusOK, "/b/dst": http.StatusServiceUnavailable} {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://h"+path, nil))
		if w.Code != want || (want == http.StatusServiceUnavailable) != (w.Header().Get("Retry-After") != "") {
			t.Errorf("GET %s: %d, %v", path, w.Code, w.Header())
		}
	}
	site.absent.Store(false)
	must(t, site.fsys.Set([]mount.Share{
		{ID: "one", At: "/moved/a", Token: "again", Open: func(context.Context, string) (storage.FS, error) { return local.Open(s.a) }},
		{ID: "two", At: "/b", Token: "again", Open: func(context.Context, string) (storage.FS, error) { return local.Open(s.b) }},
	}))
	// A running operation also has its record in the journal.
	during := make(chan []tree.Recovery, 1)
	var once atomic.Bool
	fault, ok := site.FileSystem.(*storagetest.Fault)
	if !ok {
		t.Fatal("no Fault")
	}
	fault.Before = func(op, _ string) error {
		if op == "copymembers" && !once.Swap(true) {
			recovered, err := site.Recover(t.Context())
			must(t, err)
			during <- recovered
		}
		return nil
	}
	r := httptest.NewRequest("COPY", "http://h/moved/a/src", nil)
	r.Header.Set("Destination", "http://h/b/dst")
	w := httptest.NewRecorder()
	site.ServeHTTP(w, r)
	recovered = <-during
	// The names of the dead operation are those of the running one, which is not in the result.
	if w.Code != http.StatusNoContent || len(recovered) != 1 || recovered[0].Result != tree.Left {
		t.Errorf("COPY: %d; meanwhile: %v", w.Code, recovered)
	}
	recovered, err = site.Recover(t.Context())
	if err != nil || len(recovered) != 1 || recovered[0].Result == tree.Left || recovered[0].Entry.Source != "/moved/a/src" {
		t.Errorf("after that: %v, %v", recovered, err)
	}
	if left, err := site.db.LoadRecords(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("the journal has %q, %v", left, err)
	}
}

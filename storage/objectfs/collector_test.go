package objectfs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// objects returns how many objects a site has.
func (s *site) objects(tb testing.TB) int {
	tb.Helper()
	n := 0
	for _, err := range s.blobs.List(tb.Context(), "") {
		if err != nil {
			tb.Fatal(err)
		}
		n++
	}
	return n
}

func (s *site) put(tb testing.TB, name, content string) {
	tb.Helper()
	if err := putting(name, content, false)(tb.Context(), s); err != nil {
		tb.Fatal(err)
	}
}

// write makes an object without a row.
func (s *site) write(tb testing.TB, key, content string, meta blobs.Meta) {
	tb.Helper()
	w, err := s.blobs.Create(tb.Context(), key, -1, meta)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		tb.Fatal(err)
	}
	if err := w.Finish(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

// TestGrace checks that the object of a file that was removed or replaced stays for a while, and as
// long as a copy needs it.
func TestGrace(t *testing.T) {
	t.Parallel()
	s := newSite(t, openSQLite(t), openDirectory(t))
	for _, name := range []string{"/removed", "/replaced", "/copied"} {
		s.put(t, name, long+name)
	}
	if err := s.Mkdir(t.Context(), "/dir", 0o777); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(
		storage.CopyMember(t.Context(), s, "/copied", "/dir/copy", fileInfo{name: "copied"}, nil),
		s.RemoveAll(t.Context(), "/removed"), s.RemoveAll(t.Context(), "/copied"),
	)
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "/replaced", short)
	for _, round := range []struct {
		grace time.Duration
		want  int
	}{{0, 3}, {time.Hour, 3}, {-1, 1}} {
		c := &objectfs.Collector{FS: s.FS, Names: s.names, Grace: round.grace}
		if _, err := c.Collect(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if got := s.objects(t); got != round.want {
			t.Errorf("with a grace of %v, %d objects are left, want %d", round.grace, got, round.want)
		}
	}
	want := storagetest.Tree{"/dir": "/", "/dir/copy": long + "/copied", "/replaced": short}
	if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, want) {
		t.Errorf("the tree is %v", got)
	}
	s.clean(t, s.FS)
}

// TestCopyBesideCollector copies a tree again and again while its source is removed and the collector
// runs without grace. No row may lack its object.
func TestCopyBesideCollector(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, kind.database(t), kind.objects(t))
			collector := &objectfs.Collector{FS: s.FS, Names: s.names, Grace: -1}
			var collecting sync.WaitGroup
			var stop atomic.Bool
			collecting.Go(func() {
				for !stop.Load() {
					if _, err := collector.Collect(t.Context(), false); err != nil {
						t.Error(err)
						return
					}
				}
			})
			for round := range 10 {
				s.copyAndRemove(t, round)
			}
			stop.Store(true)
			collecting.Wait()
			s.clean(t, s.FS)
			for name := range storagetest.ReadTree(t, s, "/") {
				if strings.HasPrefix(name, "/src") {
					t.Errorf("%s was not removed", name)
				}
			}
		})
	}
}

// copyAndRemove makes a tree, and removes it while it is copied. A copy that was acknowledged is
// whole or lacks what was removed before.
func (s *site) copyAndRemove(t *testing.T, round int) {
	t.Helper()
	src := fmt.Sprintf("/src%d", round)
	tree := storagetest.Tree{src: "/"}
	for i := range 20 {
		tree[fmt.Sprintf("%s/%d", src, i)] = fmt.Sprint(i, long)
	}
	storagetest.WriteTree(t, s, tree)
	var both sync.WaitGroup
	both.Go(func() {
		err := storage.CopyTree(t.Context(), s, storage.TreeCopying{From: src, To: fmt.Sprintf("/dst%d", round)})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
	both.Go(func() {
		if err := s.RemoveAll(t.Context(), src); err != nil {
			t.Error(err)
		}
	})
	both.Wait()
}

// TestForeignObjects checks that the collector leaves objects that belong to another name space: the
// database may have been lost. It removes those of this one that no row knows.
func TestForeignObjects(t *testing.T) {
	t.Parallel()
	s := newSite(t, openSQLite(t), openDirectory(t))
	for key, volume := range map[string]string{"dead-1": s.names.Volume(), "dead-2": "other", "dead-3": ""} {
		s.write(t, key, "content", blobs.Meta{Volume: volume, Name: "/file"})
	}
	for _, round := range []struct {
		grace time.Duration
		want  objectfs.Collected
		left  int
	}{{time.Hour, objectfs.Collected{}, 3}, {-1, objectfs.Collected{Orphans: 1, Foreign: 2}, 2}} {
		c := &objectfs.Collector{FS: s.FS, Names: s.names, Grace: round.grace}
		done, err := c.Collect(t.Context(), true)
		if err != nil || done != round.want {
			t.Errorf("with a grace of %v: %+v, %v; want %+v", round.grace, done, err, round.want)
		}
		if left := s.objects(t); left != round.left {
			t.Errorf("%d objects are left, want %d", left, round.left)
		}
	}
}

// TestRefusedPut checks that nothing is left of content that may not be put in place.
func TestRefusedPut(t *testing.T) {
	t.Parallel()
	s := newSite(t, openSQLite(t), openDirectory(t))
	s.put(t, "/file", "x")
	errRefused := errors.New("refused")
	for name, test := range map[string]struct {
		p    storage.Placing
		want error
	}{
		"exists":  {storage.Placing{Create: true}, fs.ErrExist},
		"check":   {storage.Placing{Check: func(fs.FileInfo) error { return errRefused }}, errRefused},
		"quota":   {storage.Placing{}, syscall.EDQUOT},
		"removed": {storage.Placing{Check: func(fs.FileInfo) error { return s.RemoveAll(t.Context(), "/dir") }}, fs.ErrNotExist},
	} {
		at := "/file"
		switch name {
		case "quota":
			s.SetLimit(10)
		case "removed":
			s.SetLimit(0)
			at = "/dir/file"
			if err := s.Mkdir(t.Context(), "/dir", 0o777); err != nil {
				t.Fatal(err)
			}
		}
		r, err := s.ReplaceFile(t.Context(), at, storage.Replacing{Perm: 0o666})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(r, long); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Commit(t.Context(), test.p); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if n := s.objects(t); n != 0 {
			t.Errorf("%s: %d objects are left", name, n)
		}
		s.SetLimit(0)
	}
}

// TestChangedDuringCheck changes the file after a check of the commit has seen it. Then the check must
// see the new one too.
func TestChangedDuringCheck(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds()[:2] {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, kind.database(t), kind.objects(t))
			s.put(t, "/file", "old")
			r, err := s.ReplaceFile(t.Context(), "/file", storage.Replacing{Perm: 0o666})
			if err == nil {
				_, err = io.WriteString(r, long)
			}
			if err != nil {
				t.Fatal(err)
			}
			var seen []int64
			_, err = r.Commit(t.Context(), storage.Placing{Check: func(old fs.FileInfo) error {
				if seen = append(seen, old.Size()); len(seen) == 1 {
					s.put(t, "/file", "other")
				}
				return nil
			}})
			if err != nil || !slices.Equal(seen, []int64{3, 5}) {
				t.Errorf("the check has seen files of %d bytes, %v; want 3 and 5", seen, err)
			}
			if got := storagetest.ReadTree(t, s, "/")["/file"]; got != long {
				t.Errorf("the file is %q", got)
			}
			s.clean(t, s.FS)
		})
	}
}

// TestTransaction puts and copies files in the transaction of a claim, on a database with one
// connection. If it is undone, the collector removes the objects.
func TestTransaction(t *testing.T) {
	t.Parallel()
	db := openNode(t, pgtest.Database(t)+"&pool_max_conns=1")
	s := newSite(t, db, openDirectory(t))
	s.put(t, "/file", long)
	for _, undo := range []bool{true, false} {
		claim, err := db.Cluster().Claim(t.Context(), cluster.Work{Scopes: []cluster.Scope{{Name: "/", Tree: true}}, Brief: true})
		if err != nil {
			t.Fatal(err)
		}
		ctx, err := claim.Transaction(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, listed := storage.List(ctx, s, "/")
		err = errors.Join(listed,
			putting("/new", long, true)(ctx, s),
			s.Mkdir(ctx, "/dir", 0o777),
			s.Rename(ctx, "/file", "/dir/file"),
			storage.CopyMember(ctx, s, "/dir/file", "/file", fileInfo{name: "file"}, nil),
			patching("/file", 0, "new")(ctx, s),
			storage.RemoveTree(ctx, s, "/dir"),
		)
		if err != nil {
			t.Error(err)
		}
		want := storagetest.Tree{"/new": long, "/file": "new" + long[3:]}
		if undo {
			claim.Undo(ctx)
			want = storagetest.Tree{"/file": long}
		}
		if err := claim.End(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, want) {
			t.Errorf("undone %v: the tree is %v, want %v", undo, got, want)
		}
		s.clean(t, s.FS)
		if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, want) {
			t.Errorf("undone %v: the collector has changed the tree to %v", undo, got)
		}
	}
}

// TestPausedUpload pauses an upload before its commit, until its node was declared dead and the
// collector of another node has run. Then the PUT fails, and no row lacks its object. It also fails
// if the node has joined again meanwhile.
func TestPausedUpload(t *testing.T) {
	t.Parallel()
	for _, rejoins := range []bool{false, true} {
		t.Run(fmt.Sprintf("rejoins %v", rejoins), func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Database(t)
			paused, objects := openNode(t, dsn), openDirectory(t)
			s, other := newSite(t, paused, objects), newSite(t, openNode(t, dsn), objects)
			epoch := paused.Cluster().Epoch()
			r, err := s.ReplaceFile(t.Context(), "/file", storage.Replacing{Perm: 0o666})
			if err == nil {
				_, err = io.WriteString(r, long)
			}
			if err == nil {
				err = storage.Prepare(t.Context(), r)
			}
			if err != nil {
				t.Fatal(err)
			}
			other.collect(t, 1) // The node lives.
			declareDead(t, dsn, epoch)
			other.collect(t, 0)
			for rejoins && (paused.Cluster().Epoch() == epoch || paused.Cluster().Epoch() == "") {
				time.Sleep(10 * time.Millisecond)
			}
			if _, err := r.Commit(t.Context(), storage.Placing{}); !errors.Is(err, cluster.ErrFenced) {
				t.Errorf("the commit returned %v, want cluster.ErrFenced", err)
			}
			if got := storagetest.ReadTree(t, other, "/"); len(got) != 0 {
				t.Errorf("the tree is %v", got)
			}
			other.clean(t, other.FS)
		})
	}
}

// collect runs the collector without grace, and checks how many objects are left.
func (s *site) collect(t *testing.T, want int) {
	t.Helper()
	c := &objectfs.Collector{FS: s.FS, Names: s.names, Grace: -1}
	if _, err := c.Collect(t.Context(), true); err != nil {
		t.Error(err)
	}
	if got := s.objects(t); got != want {
		t.Errorf("%d objects are left, want %d", got, want)
	}
}

// declareDead ends an epoch, as a node that takes over does.
func declareDead(t *testing.T, dsn, epoch string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if tag, err := conn.Exec(t.Context(), "DELETE FROM nodes WHERE epoch = $1", epoch); err != nil || tag.RowsAffected() != 1 {
		t.Fatalf("%v, %v", tag, err)
	}
}

// TestCheckInTransaction checks that the checks of a commit can use the storage in its transaction,
// and refuse the commit.
func TestCheckInTransaction(t *testing.T) {
	t.Parallel()
	db := openNode(t, pgtest.Database(t)+"&pool_max_conns=1")
	s := newSite(t, db, openDirectory(t))
	s.put(t, "/file", long)
	claim, err := db.Cluster().Claim(t.Context(), cluster.Work{Scopes: []cluster.Scope{{Name: "/", Tree: true}}, Brief: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := claim.Transaction(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	commit := func(content string, check func(old fs.FileInfo) error) error {
		r, err := s.ReplaceFile(ctx, "/file", storage.Replacing{Perm: 0o666})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(r, content); err != nil {
			return errors.Join(err, r.Discard())
		}
		_, err = r.Commit(ctx, storage.Placing{Check: check})
		return err
	}
	errRefused := errors.New("refused")
	if err := commit("refused"+long, func(fs.FileInfo) error { return errRefused }); err != errRefused { //nolint:errorlint // unchanged
		t.Errorf("a refused commit: %v", err)
	}
	if n := s.objects(t); n != 2 {
		t.Errorf("%d objects: the one of the refused commit waits for the collector, not the transaction for its removal", n)
	}
	err = commit("new"+long, func(old fs.FileInfo) error {
		now, err := s.Stat(ctx, "/file")
		if err == nil && !storage.SameFile(old, now) {
			err = errors.New("the check gets another file")
		}
		return errors.Join(err, s.Mkdir(ctx, "/dir", 0o777))
	})
	if err := errors.Join(err, claim.End(t.Context(), nil)); err != nil {
		t.Error(err)
	}
	want := storagetest.Tree{"/file": "new" + long, "/dir": "/"}
	if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, want) {
		t.Errorf("the tree is %v", got)
	}
	s.clean(t, s.FS)
}

// TestCollectorFaults makes each call of the collector fail, before it has an effect and after. No
// file changes, and the next round removes the rest.
func TestCollectorFaults(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			db := kind.database(t)
			for _, after := range []bool{false, true} {
				for at := 1; collectWithFault(t, newSite(t, db, kind.objects(t)), &fault{at: at, after: after}); at++ {
				}
			}
		})
	}
}

// collectWithFault makes garbage and collects it with a fault. It reports whether a call has failed.
func collectWithFault(t *testing.T, s *site, f *fault) bool {
	t.Helper()
	storagetest.WriteTree(t, s, before())
	losing, collecting := false, false
	h := hook(func(call string, after bool) error {
		switch {
		case losing && call == "put" && after:
			losing = false
			return errFault
		case collecting:
			return f.hook(call, after)
		}
		return nil
	})
	hooked := s.hooked(h)
	losing = true // The answer of the database is lost. Then the file is removed.
	if err := putting("/doubtful", long, true)(t.Context(), hooked); !errors.Is(err, errFault) {
		t.Fatalf("a PUT without an answer: %v", err)
	}
	s.write(t, "dead-1", "orphan", blobs.Meta{Volume: s.names.Volume()})
	s.put(t, "/file", "new "+long)
	if err := errors.Join(s.RemoveAll(t.Context(), "/doubtful"), s.RemoveAll(t.Context(), "/dir")); err != nil {
		t.Fatal(err)
	}
	want := storagetest.ReadTree(t, s, "/")
	collecting = true
	c := &objectfs.Collector{FS: hooked, Names: hookedNames{s.names, h}, Grace: -1}
	if _, err := c.Collect(t.Context(), true); (err != nil) != (f.call != "") {
		t.Errorf("fault %d (%s): %v", f.at, f.call, err)
	}
	collecting = false
	s.clean(t, hooked)
	if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, want) {
		t.Errorf("fault %d (%s): the tree is %v, want %v", f.at, f.call, got, want)
	}
	return f.call != ""
}

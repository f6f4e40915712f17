package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/sweep"
	"github.com/davd/davd/storage/tree"
)

// memJournal is a Journal for tests. fail, if not nil, is called before each change.
type memJournal struct {
	mu      sync.Mutex
	ids     []string
	records map[string][]byte
	fail    func() error
}

func (j *memJournal) change(f func()) error {
	if j.fail != nil {
		if err := j.fail(); err != nil {
			return err
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	f()
	return nil
}

func (j *memJournal) SaveRecord(_ context.Context, id string, record []byte) error {
	return j.change(func() {
		if j.records == nil {
			j.records = map[string][]byte{}
		}
		if j.records[id] == nil {
			j.ids = append(j.ids, id)
		}
		j.records[id] = record
	})
}

func (j *memJournal) DeleteRecord(_ context.Context, id string) error {
	return j.change(func() {
		j.ids = slices.DeleteFunc(j.ids, func(other string) bool { return other == id })
		delete(j.records, id)
	})
}

func (j *memJournal) LoadRecords(context.Context) (all [][]byte, err error) {
	for _, id := range j.ids {
		all = append(all, j.records[id])
	}
	return all, nil
}

// follows is a Follower that always has something to do, and remembers it.
type follows struct {
	done []string
	err  error
}

func (f *follows) Prepare(context.Context, *tree.Entry) (bool, error) { return true, nil }

func (f *follows) Follow(_ context.Context, e tree.Entry, whole bool) error {
	f.done = append(f.done, fmt.Sprint(e, whole))
	return f.err
}

// engineRun runs op with an Engine.
func engineRun(ctx context.Context, op operation, e tree.Engine) error {
	switch {
	case strings.HasPrefix(op.name, "remove"):
		return e.Remove(ctx, "/src", nil)
	case strings.HasPrefix(op.name, "copy"):
		return e.Copy(ctx, "/src", "/dst", tree.Infinite, nil)
	}
	return e.Move(ctx, "/src", "/dst", nil)
}

// TestRecoverAfterFaults: each call of the storage or the journal fails, alone or with
// all that follow. After a restart with a storage that works, no reserved name is left,
// and source and destination are old or new.
func TestRecoverAfterFaults(t *testing.T) {
	t.Parallel()
	for _, op := range operations() {
		for _, d := range destinations {
			name, _, _ := strings.Cut(d.name, " [")
			t.Run(op.name+"/onto "+name, func(t *testing.T) {
				t.Parallel()
				calls := recoverAfter(t, op, d.old, math.MaxInt, nil, false)
				for _, n := range sweep.Steps(t, calls, 4) {
					for _, fault := range []error{syscall.EIO, syscall.ENOSPC, fs.ErrPermission} {
						for _, lasting := range []bool{false, true} {
							recoverAfter(t, op, d.old, n, fault, lasting)
						}
					}
				}
			})
		}
	}
}

// recoverAfter lets call n fail, and returns how many calls there were.
func recoverAfter(t *testing.T, op operation, old layout, n int, fault error, lasting bool) (calls int) {
	t.Helper()
	fsys := backends[0].open(t)
	build(t, fsys, sweepSource)
	build(t, fsys, old)
	was := snapshot(t, fsys)
	var mu sync.Mutex
	fail := func() error {
		mu.Lock()
		defer mu.Unlock()
		calls++
		if calls == n || lasting && calls > n {
			return fault
		}
		return nil
	}
	journal := &memJournal{fail: fail}
	faulty := op.of(&storagetest.Fault{FS: fsys, Before: func(string, string) error { return fail() }})
	err := engineRun(t.Context(), op, tree.Engine{FS: faulty, Journal: journal, Follower: &follows{}})
	journal.fail = nil
	about := fmt.Sprintf("%v at call %d (lasting %v), error %v", fault, n, lasting, err)
	recovered, recoverErr := tree.Engine{FS: op.of(fsys), Journal: journal, Follower: &follows{}}.Recover(t.Context())
	if recoverErr != nil {
		t.Errorf("%s: Recover: %v", about, recoverErr)
	}
	is := snapshot(t, fsys)
	if left := is.reserved(); len(left) > 0 || len(journal.ids) > 0 {
		t.Errorf("%s: left are %q and %q; %+v", about, left, journal.ids, recovered)
	}
	r := trial{operation: op, was: was, is: is, err: err}
	if p := r.recovered(); p != "" {
		t.Errorf("%s: %s; %+v", about, p, recovered)
	}
	return calls
}

// recovered says which promise was broken after the recovery; "" if none was.
func (r trial) recovered() string {
	if strings.HasPrefix(r.name, "remove") {
		return r.removed(nil)
	}
	oldDst, fresh := r.was.below("/dst"), r.was.below("/src")
	partial := (*tree.PartialError)(nil)
	named := errors.As(r.err, &partial) && partial.Placed
	dst := r.is.below("/dst")
	switch {
	case diff(dst, fresh) == "" && (strings.HasPrefix(r.name, "copy") || named):
		return ""
	case diff(dst, fresh) == "" && len(r.is.below("/src")) == 0:
		return ""
	case diff(r.is.below("/src"), fresh) != "":
		return told("the source is lost", diff(r.is.below("/src"), fresh))
	case diff(dst, oldDst) == "", named && strings.HasPrefix(r.name, "copy"):
		return ""
	case r.rebuilds && len(dst) < len(fresh)+len(oldDst):
		return "" // The destination had to be removed first, and the staged copy was removed too.
	}
	return told("neither old nor new", diff(dst, oldDst))
}

// TestRecoverOfAnother: trees that another engine has staged on the same share are not
// touched.
func TestRecoverOfAnother(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, source)
	first := &memJournal{}
	var seen []string
	var once sync.Once
	faulty := &storagetest.Fault{FS: fsys, Before: func(op, _ string) error {
		if op != "settimes" {
			return nil
		}
		once.Do(func() {
			seen = snapshot(t, fsys).reserved()
			recovered, err := tree.Engine{FS: fsys, Journal: &memJournal{}}.Recover(t.Context())
			if err != nil || len(recovered) > 0 {
				t.Errorf("the second has recovered %v (%v)", recovered, err)
			}
		})
		return nil
	}}
	noError(t, tree.Engine{FS: faulty, Journal: first}.Copy(t.Context(), "/src", "/dst", tree.Infinite, nil))
	if len(seen) == 0 {
		t.Error("nothing was staged")
	}
	check(t, fsys, source.full().replaced("/src", "/dst"))
}

// dead runs a COPY that dies by a panic at the first call op, and returns its journal.
func dead(t *testing.T, fsys storage.FS, op, src, dst string) (journal *memJournal) {
	t.Helper()
	journal = &memJournal{}
	type killed struct{}
	defer func() {
		if r := recover(); r != (killed{}) {
			t.Fatalf("not killed: %v", r)
		}
	}()
	faulty := &storagetest.Fault{FS: fsys, Before: func(o, _ string) error {
		if o == op {
			panic(killed{})
		}
		return nil
	}}
	_ = tree.Engine{FS: faulty, Journal: journal}.Copy(t.Context(), src, dst, 0, nil)
	return journal
}

// TestRecoverUnreachable: if the storage can't be reached or is a different one, an
// error says so, and the journal loses no record.
func TestRecoverUnreachable(t *testing.T) {
	fsys, dir := newLocal(t)
	build(t, fsys, layout{"/src/f": "1", "/dst/old": "2"})
	journal := dead(t, fsys, "exchange", "/src", "/dst")
	staged := snapshot(t, fsys)

	t.Run("it fails", func(t *testing.T) {
		_, err := tree.Engine{FS: failing(fsys, syscall.EIO, "stat", "/"), Journal: journal}.Recover(t.Context())
		if !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "COPY /src to /dst") || len(journal.ids) != 1 {
			t.Errorf("error %v, %d records", err, len(journal.ids))
		}
	})
	t.Run("it is an empty mount point", func(t *testing.T) {
		away := dir + ".away"
		noError(t, os.Rename(dir, away))
		noError(t, os.Mkdir(dir, 0o755))
		defer func() { noError(t, errors.Join(os.Remove(dir), os.Rename(away, dir))) }()
		empty, err := local.Open(dir)
		noError(t, err)
		defer empty.Close()
		recovered, err := tree.Engine{FS: empty, Journal: journal}.Recover(t.Context())
		if err != nil || len(recovered) != 1 || recovered[0].Result != tree.Left || recovered[0].Err == nil || len(journal.ids) != 1 {
			t.Errorf("recovered %+v (%v), %d records", recovered, err, len(journal.ids))
		}
	})
	check(t, fsys, staged)
	recovered, err := tree.Engine{FS: fsys, Journal: journal}.Recover(t.Context())
	if err != nil || len(recovered) != 1 || recovered[0].Result != tree.Undone || len(journal.ids) != 0 {
		t.Errorf("recovered %+v (%v), %d records", recovered, err, len(journal.ids))
	}
	check(t, fsys, layout{"/src/f": "1", "/dst/old": "2"}.full())
}

// TestRecoverChanged: files that others have put at the names are not touched.
func TestRecoverChanged(t *testing.T) {
	fsys, dir := newLocal(t)
	build(t, fsys, layout{"/src/f": "1", "/dst/old": "2"})
	journal := dead(t, fsys, "exchange", "/src", "/dst")
	stage := snapshot(t, fsys).reserved()[0]
	noError(t, os.Rename(filepath.Join(dir, stage), filepath.Join(dir, "moved")))
	build(t, fsys, layout{stage + "/new": "3"})
	was := snapshot(t, fsys)
	recovered, err := tree.Engine{FS: fsys, Journal: journal}.Recover(t.Context())
	if err != nil || len(recovered) != 1 || recovered[0].Result != tree.Left || len(journal.ids) != 1 {
		t.Errorf("recovered %+v (%v), %d records", recovered, err, len(journal.ids))
	}
	check(t, fsys, was)
}

// TestFollow: the Follower is called once. If it fails, the tree is in place all the
// same and the record stays, so that the next start calls the Follower again.
func TestFollow(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, source)
	journal, f := &memJournal{}, &follows{err: syscall.EIO}
	err := tree.Engine{FS: fsys, Journal: journal, Follower: f}.Move(t.Context(), "/src", "/\xff%", nil)
	if followed := (*tree.FollowError)(nil); !errors.As(err, &followed) || !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v, want a FollowError", err)
	}
	if want := []string{"MOVE /src to /\xff% true"}; !slices.Equal(f.done, want) || len(journal.ids) != 1 {
		t.Errorf("followed %q, want %q; %d records", f.done, want, len(journal.ids))
	}
	f.err = nil
	recovered, err := tree.Engine{FS: fsys, Journal: journal, Follower: f}.Recover(t.Context())
	if err != nil || len(recovered) != 1 || recovered[0].Result != tree.Finished || len(f.done) != 2 || len(journal.ids) != 0 {
		t.Errorf("recovered %+v (%v), followed %q, %d records", recovered, err, f.done, len(journal.ids))
	}
}

// TestJournalOnlyIfNeeded: a rename that displaces nothing writes no record if the
// Follower has nothing to do.
func TestJournalOnlyIfNeeded(t *testing.T) {
	fsys, _ := newLocal(t)
	build(t, fsys, layout{"/src/f": "1"})
	n := 0
	journal := &memJournal{fail: func() error { n++; return nil }}
	noError(t, tree.Engine{FS: fsys, Journal: journal}.Move(t.Context(), "/src", "/dst", nil))
	if n != 0 {
		t.Errorf("%d changes of the journal", n)
	}
	build(t, fsys, layout{"/src/f": "1"})
	noError(t, tree.Engine{FS: fsys, Journal: journal}.Move(t.Context(), "/src", "/dst", nil))
	if n != 2 {
		t.Errorf("%d changes of the journal for what displaces, want 2", n)
	}
}

// TestRecoverNames: names that are not valid UTF-8 survive in the journal.
func TestRecoverNames(t *testing.T) {
	fsys, _ := newLocal(t)
	odd := "/\xff%41é\n"
	build(t, fsys, layout{odd + "/src": "1", "/d\xfe/x": "2"})
	if _, err := fsys.Stat(t.Context(), odd); err != nil {
		t.Skipf("the filesystem has no such names: %v", err)
	}
	was := snapshot(t, fsys)
	journal := dead(t, fsys, "rename", odd, "/d\xfe/%2e")
	if left := snapshot(t, fsys).reserved(); len(left) != 1 {
		t.Errorf("staged are %q, want one", left)
	}
	recovered, err := tree.Engine{FS: fsys, Journal: journal}.Recover(t.Context())
	if err != nil || len(recovered) != 1 || recovered[0].Entry.Source != odd {
		t.Errorf("recovered %+v (%v)", recovered, err)
	}
	check(t, fsys, was)
}

// TestRecoverComplete: a copy of which only the record is left has no result, because it may be
// complete. Recover must not say that it was undone.
func TestRecoverComplete(t *testing.T) {
	fsys, dir := newLocal(t)
	build(t, fsys, layout{"/src/f": "1"})
	journal := dead(t, fsys, "rename", "/src", "/dst")
	noError(t, os.Rename(filepath.Join(dir, snapshot(t, fsys).reserved()[0]), filepath.Join(dir, "dst")))
	was := snapshot(t, fsys)
	recovered, err := tree.Engine{FS: fsys, Journal: journal}.Recover(t.Context())
	if err != nil || len(recovered) != 0 || len(journal.ids) != 0 {
		t.Errorf("recovered %+v (%v), %d records", recovered, err, len(journal.ids))
	}
	check(t, fsys, was)
}

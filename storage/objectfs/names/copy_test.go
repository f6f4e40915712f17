package names_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/names"
)

// object puts a file whose content is a new object, and returns its key.
func object(tb testing.TB, s *names.Space, name string, size int64) string {
	tb.Helper()
	epoch, err := s.Epoch()
	if err != nil {
		tb.Fatal(err)
	}
	key := fmt.Sprintf("%s-%x", epoch, time.Now().UnixNano())
	if _, err := s.Put(tb.Context(), name, names.Content{Blob: key, Size: size}, names.Placing{Perm: 0o644}); err != nil {
		tb.Fatal(err)
	}
	return key
}

// used checks the usage.
func used(tb testing.TB, s *names.Space, want int64) {
	tb.Helper()
	if got, err := s.Usage(tb.Context()); err != nil || got != want {
		tb.Errorf("%d bytes are used, want %d (%v)", got, want, err)
	}
}

// sweep removes all detached nodes.
func sweep(tb testing.TB, s *names.Space) {
	tb.Helper()
	for {
		n, err := s.Sweep(tb.Context(), 10)
		if err != nil {
			tb.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// loose returns the doomed objects.
func loose(tb testing.TB, s *names.Space) []string {
	tb.Helper()
	keys, err := s.Loose(tb.Context(), time.Now().Add(time.Minute), 100)
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

func TestCopy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *names.Space) {
		ctx := t.Context()
		mkdir(t, s, "/a")
		mkdir(t, s, "/a/b")
		mkdir(t, s, "/a/b/c")
		mkdir(t, s, "/a/.davd-stage")
		put(t, s, "/a/.davd-stage/f", "hidden")
		put(t, s, "/a/b/c/f", "text")
		key := object(t, s, "/a/b/g", 100)
		members, bytes := int64(0), int64(0)
		err := s.Copy(ctx, "/a", "/.davd-copy", false, func(m, b int64) error {
			members, bytes = members+m, bytes+b
			return nil
		})
		if err != nil || members != 5 || bytes != 104 {
			t.Errorf("copied %d members with %d bytes (%v)", members, bytes, err)
		}
		if err := s.Rename(ctx, "/.davd-copy", "/x", false); err != nil {
			t.Error(err)
		}
		if got := tree(t, s, "/x"); !slices.Equal(got, []string{"/x", "/x/b", "/x/b/c", "/x/b/c/f=text", "/x/b/g="}) {
			t.Errorf("the copy is %q", got)
		}
		if n, err := s.Find(ctx, "/x/b/g"); err != nil || n.Blob != key {
			t.Errorf("the copy has the object %q, want %q (%v)", n.Blob, key, err)
		}
		used(t, s, 214)
		if err := s.Copy(ctx, "/a", "/y", true, nil); err != nil || len(tree(t, s, "/y")) != 1 {
			t.Errorf("the copy without members has %q (%v)", tree(t, s, "/y"), err)
		}
		fails(t, s.Copy(ctx, "/a", "/y", false, nil), fs.ErrExist)
		fails(t, s.Copy(ctx, "/a", "/a/b/x", false, nil), storage.ErrOverlap)
		fails(t, s.Copy(ctx, "/a", "/a", false, nil), storage.ErrOverlap)
		fails(t, s.Copy(ctx, "/none", "/z", false, nil), fs.ErrNotExist)
		stopped := errors.New("stopped")
		fails(t, s.Copy(ctx, "/a", "/z", false, func(int64, int64) error { return stopped }), stopped)
		s.SetLimit(300)
		fails(t, s.Copy(ctx, "/a", "/z2", false, nil), syscall.EDQUOT)
		_, err = s.Put(ctx, "/big", names.Content{Data: []byte(strings.Repeat("x", 100)), Size: 100}, names.Placing{})
		fails(t, err, syscall.EDQUOT)
		s.SetLimit(0)

		errs, err := s.CopyMembers(ctx, "/a/b", "/y", []string{"g", "c", "none"}, "")
		if err != nil || errs[0] != nil {
			t.Fatal(errs, err)
		}
		fails(t, errs[1], syscall.EISDIR)
		fails(t, errs[2], fs.ErrNotExist)
		errs, err = s.CopyMembers(ctx, "/a/b", "/y", []string{"g"}, "e\u0301")
		if err != nil || errs[0] != nil {
			t.Fatal(errs, err)
		}
		errs, err = s.CopyMembers(ctx, "/a/b", "/y", []string{"g"}, "\u00e9")
		if err != nil {
			t.Fatal(err)
		}
		fails(t, errs[0], fs.ErrExist)
		if got := tree(t, s, "/y"); !slices.Equal(got, []string{"/y", "/y/g=", "/y/e\u0301="}) {
			t.Errorf("the copies are %q", got)
		}
	})
}

// fill makes n files in a collection, quickly.
func fill(tb testing.TB, db names.Database, s *names.Space, collection string, n int) {
	tb.Helper()
	above, err := s.Find(tb.Context(), collection)
	if err != nil {
		tb.Fatal(err)
	}
	key := object(tb, s, collection+"/0", 1)
	err = db.Base().Provide(tb.Context(), `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $3)
		INSERT INTO entries (parent, size, modified, changed, created, perm, dir, reserved, fold, blob)
		SELECT $1, 1, 0, 0, 0, 0, FALSE, FALSE, 'file number ' || (1000000 + i), $2 FROM n`, above.ID, key, n-1)
	if err != nil {
		tb.Fatal(err)
	}
}

// count returns how many members a collection has.
func count(tb testing.TB, s *names.Space, name string) int {
	tb.Helper()
	n, err := s.Find(tb.Context(), name)
	if err != nil {
		tb.Fatal(err)
	}
	members, err := s.Members(tb.Context(), n.ID, "", 1_000_000)
	if err != nil {
		tb.Fatal(err)
	}
	return len(members)
}

func TestCopyBatches(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db state) {
		s := space(t, db)
		mkdir(t, s, "/a")
		fill(t, db, s, "/a", 10_100)
		for i := range 3 {
			name := fmt.Sprintf("/a/d%d", i)
			mkdir(t, s, name)
			fill(t, db, s, name, 100)
		}
		var batches []int64
		err := s.Copy(t.Context(), "/a", "/b", false, func(members, _ int64) error {
			batches = append(batches, members)
			return nil
		})
		if want := []int64{5001, 5000, 103, 300}; err != nil || !slices.Equal(batches, want) {
			t.Errorf("copied %d members, want %d (%v)", batches, want, err)
		}
		if got := count(t, s, "/b"); got != 10_103 {
			t.Errorf("the copy has %d members", got)
		}
		if got := len(tree(t, s, "/b/d2")); got != 101 {
			t.Errorf("the last collection has %d members", got-1)
		}
	})
}

// TestCopyOfRemovedTree: a copy fails if its source was removed before all of it was copied.
func TestCopyOfRemovedTree(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *names.Space) {
		mkdir(t, s, "/a")
		mkdir(t, s, "/a/b") // its members are copied after the first transaction
		fails(t, s.Copy(t.Context(), "/a", "/b", false, func(int64, int64) error {
			err := s.Detach(t.Context(), "/a", false)
			sweep(t, s)
			mkdir(t, s, "/a") // another one
			return err
		}), fs.ErrNotExist)
	})
}

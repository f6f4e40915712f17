package names_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/names"
)

// put makes a file whose content is text.
func put(tb testing.TB, s *names.Space, name, text string) names.Node {
	tb.Helper()
	n, err := s.Put(tb.Context(), name, names.Content{Data: []byte(text), Size: int64(len(text))}, names.Placing{Perm: 0o644})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func mkdir(tb testing.TB, s *names.Space, name string) names.Node {
	tb.Helper()
	n, err := s.Mkdir(tb.Context(), name, 0o755)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// tree returns the names below name, with the content of files.
func tree(tb testing.TB, s *names.Space, name string) (all []string) {
	tb.Helper()
	n, content, err := s.Open(tb.Context(), name)
	if err != nil {
		tb.Fatal(err)
	}
	if !n.Dir {
		return []string{name + "=" + string(content)}
	}
	all = append(all, name)
	members, err := s.Members(tb.Context(), n.ID, "", 1000)
	if err != nil {
		tb.Fatal(err)
	}
	for _, m := range members {
		all = append(all, tree(tb, s, strings.TrimSuffix(name, "/")+"/"+m.Name)...)
	}
	return all
}

// has checks the tree of the root.
func has(tb testing.TB, s *names.Space, want ...string) {
	tb.Helper()
	if got := tree(tb, s, "/")[1:]; !slices.Equal(got, want) {
		tb.Errorf("the tree is %q, want %q", got, want)
	}
}

// refusals are the errors of operations that the names don't allow.
var refusals = []error{fs.ErrNotExist, fs.ErrExist, syscall.EISDIR, syscall.ENOTDIR, syscall.EINVAL, storage.ErrOverlap}

// fails checks that an operation has failed with an error.
func fails(tb testing.TB, err, want error) {
	tb.Helper()
	if !errors.Is(err, want) {
		tb.Errorf("the error is %v, want %v", err, want)
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *names.Space) {
		ctx := t.Context()
		mkdir(t, s, "/a")
		mkdir(t, s, "/a/b")
		first := put(t, s, "/a/b/f", "one")
		second := put(t, s, "/a/b/f", "two")
		if first.ID == second.ID || !first.Created.Equal(second.Created) {
			t.Errorf("replaced %+v by %+v", first, second)
		}
		found, err := s.Find(ctx, "/a/b/f")
		if err != nil || found.ID != second.ID || found.Size != 3 || !found.Modified.Equal(second.Modified) || found.Dir || found.Perm != 0o644 {
			t.Errorf("found %+v, want %+v (%v)", found, second, err)
		}
		has(t, s, "/a", "/a/b", "/a/b/f=two")
		_, err = s.Put(ctx, "/a/b/f/g", names.Content{}, names.Placing{})
		fails(t, err, fs.ErrNotExist)
		_, err = s.Put(ctx, "/x/f", names.Content{}, names.Placing{})
		fails(t, err, fs.ErrNotExist)
		_, err = s.Put(ctx, "/a/b", names.Content{}, names.Placing{})
		fails(t, err, syscall.EISDIR)
		_, err = s.Mkdir(ctx, "/a", 0)
		fails(t, err, fs.ErrExist)
		fails(t, s.Rename(ctx, "/a", "/a/b/c", true), syscall.EINVAL)
		fails(t, s.Rename(ctx, "/a/b", "/a", true), fs.ErrExist)
		fails(t, s.Rename(ctx, "/a/b/f", "/a", true), syscall.EISDIR)
		mkdir(t, s, "/c")
		fails(t, s.Rename(ctx, "/c", "/a/b/f", true), syscall.ENOTDIR)
		if err := s.Rename(ctx, "/a/b", "/c", true); err != nil {
			t.Error(err)
		}
		has(t, s, "/a", "/c", "/c/f=two")
		put(t, s, "/a/g", "g")
		if err := s.Swap(ctx, "/a", "/c/f"); err != nil {
			t.Error(err)
		}
		has(t, s, "/a=two", "/c", "/c/f", "/c/f/g=g")
		fails(t, s.Detach(ctx, "/c", true), fs.ErrExist)
		errs, err := s.DetachMembers(ctx, "/c", []string{"f", "x"})
		if err != nil {
			t.Fatal(err)
		}
		fails(t, errs[0], fs.ErrExist)
		fails(t, errs[1], fs.ErrNotExist)
		if err := s.Detach(ctx, "/c", false); err != nil {
			t.Error(err)
		}
		has(t, s, "/a=two")
	})
}

func TestSpelling(t *testing.T) {
	t.Parallel()
	const nfc, nfd = "/\u00e9", "/e\u0301"
	each(t, func(t *testing.T, s *names.Space) {
		put(t, s, nfd, "1")
		put(t, s, nfc, "2")
		has(t, s, nfd+"=2")
		if err := s.Rename(t.Context(), nfd, nfc, true); err != nil {
			t.Error(err)
		}
		has(t, s, nfc+"=2")
		put(t, s, "/%\xff", "3")
		has(t, s, "/%\xff=3", nfc+"=2")
	})
}

func TestDeepNames(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *names.Space) {
		deep := [2]string{"/a", "/b"}
		for i := range deep {
			mkdir(t, s, deep[i])
			for range 120 {
				deep[i] += "/d"
				mkdir(t, s, deep[i])
			}
		}
		put(t, s, deep[0]+"/f", "deep")
		if err := s.Rename(t.Context(), deep[0]+"/f", deep[1]+"/f", false); err != nil {
			t.Error(err)
		}
		if got := tree(t, s, deep[1]); len(got) != 2 {
			t.Errorf("the deep tree is %q", got)
		}
		_, err := s.Find(t.Context(), deep[0]+"/f")
		fails(t, err, fs.ErrNotExist)
		_, err = s.Find(t.Context(), deep[0]+strings.Repeat("/e", 100))
		fails(t, err, fs.ErrNotExist)
		if err := s.Copy(t.Context(), "/b", "/c", false, nil); err != nil {
			t.Error(err)
		}
		if got := tree(t, s, "/c"); len(got) != 122 {
			t.Errorf("the copy has %d entries", len(got))
		}
		if err := s.Detach(t.Context(), "/a", false); err != nil {
			t.Error(err)
		}
		sweep(t, s)
	})
}

func TestTimes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *names.Space) {
		before := time.Now()
		a := mkdir(t, s, "/a")
		created := put(t, s, "/a/f", "1").Created
		for _, modified := range []time.Time{time.Unix(1, 2), time.Unix(-1<<33, 0), time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
			if err := s.SetTimes(t.Context(), "/a/f", modified, time.Time{}); err != nil {
				t.Fatal(err)
			}
			n, err := s.Find(t.Context(), "/a/f")
			if y := modified.Year(); y > 1700 && y < 2200 && !n.Modified.Equal(modified) || !n.Created.Equal(created) || err != nil {
				t.Errorf("found %+v (%v)", n, err)
			}
		}
		if err := s.SetTimes(t.Context(), "/a/f", time.Unix(1, 0), time.Unix(2, 3)); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Find(t.Context(), "/a/f"); err != nil || !n.Created.Equal(time.Unix(2, 3)) || n.Changed.Before(before) {
			t.Errorf("found %+v (%v)", n, err)
		}
		// A collection is modified when its members come, go and change their names.
		for _, change := range []func() error{
			func() error { put(t, s, "/a/g", ""); return nil },
			func() error { mkdir(t, s, "/a/d"); return nil },
			func() error { return s.Rename(t.Context(), "/a/g", "/a/h", false) },
			func() error { return s.Detach(t.Context(), "/a/h", false) },
			func() error { _, err := s.DetachMembers(t.Context(), "/a", []string{"d"}); return err },
			func() error {
				_, err := s.CopyMembers(t.Context(), "/a", "/a", []string{"f"}, "k")
				return err
			},
		} {
			if err := errors.Join(s.SetTimes(t.Context(), "/a", time.Unix(1, 0), time.Time{}), change()); err != nil {
				t.Fatal(err)
			}
			if n, err := s.Find(t.Context(), "/a"); err != nil || n.Modified.Before(before) || !n.Created.Equal(a.Created) {
				t.Errorf("the collection is %+v (%v)", n, err)
			}
		}
	})
}

func TestLongNames(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *names.Space) {
		var long [2]string
		for i := range long {
			var b strings.Builder
			for r := rune(0x4e00); b.Len() < 1998; r += 7 { // it can't be compressed
				b.WriteRune(r)
			}
			long[i] = b.String() + strings.Repeat("x", i)
			put(t, s, "/"+long[i], "x")
		}
		has(t, s, "/"+long[0]+"=x", "/"+long[1]+"=x")
		_, err := s.Mkdir(t.Context(), "/"+strings.Repeat("%", 1000), 0)
		fails(t, err, syscall.ENAMETOOLONG)
		_, err = s.Find(t.Context(), "/"+strings.Repeat("y", 5000)+"/f")
		fails(t, err, syscall.ENAMETOOLONG)
	})
}

// TestOpenAgain opens the names again, and those of another store in the same database.
func TestOpenAgain(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db state) {
		s := space(t, db)
		put(t, s, "/f", "x")
		has(t, space(t, db), "/f=x")
		other, err := names.Open(t.Context(), names.Options{Database: db, Identity: "another", Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		has(t, other)
		if other.Volume() == s.Volume() || other.Root() == s.Root() {
			t.Error("two stores have the same names")
		}
		used(t, other, 0)
		put(t, other, "/f", "y")
		has(t, s, "/f=x")
	})
}

package objectfs_test

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs"
	"github.com/davd/davd/storage/storagetest"
)

// TestObjectsAreOpenedOnce checks how often an object is opened while its file is read.
func TestObjectsAreOpenedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, openSQLite(t), openDirectory(t))
	content := strings.Repeat("0123456789", 50_000)
	s.put(t, "/file", content)
	opened := 0
	hooked := s.hooked(func(call string, after bool) error {
		if call == "openobject" && after {
			opened++
		}
		return nil
	})
	f, _, err := storage.OpenRead(t.Context(), hooked, "/file")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		offset int64
		whence int
		want   int // objects opened so far
		read   bool
	}{
		{0, io.SeekEnd, 0, false},
		{0, io.SeekStart, 0, false},
		{0, io.SeekStart, 1, true},
		{0, io.SeekCurrent, 1, true},
		{100, io.SeekCurrent, 1, true},     // a short way ahead
		{200_000, io.SeekCurrent, 2, true}, // a long way
		{-1, io.SeekCurrent, 3, true},      // back
		{0, io.SeekEnd, 3, false},
	} {
		at, err := f.Seek(step.offset, step.whence)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 25)
		if step.read {
			if _, err := io.ReadFull(f, got); err != nil || string(got) != content[at:at+25] {
				t.Errorf("at %d: %q, %v", at, got, err)
			}
		} else if n, err := f.Read(got[:0]); n != 0 || err != nil && !errors.Is(err, io.EOF) {
			t.Errorf("at %d: %d, %v", at, n, err)
		}
		if opened != step.want {
			t.Errorf("at %d, the object was opened %d times, want %d", at, opened, step.want)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("reading after Close: %v", err)
	}
}

// TestPages lists collections that fill several pages, or just one.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds()[:2] {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, kind.database(t), kind.objects(t))
			s.SetPage(3)
			var want []string
			for _, name := range []string{"a", "B", "\u00e4", "e\u0301", "z", "\xff", "_", "1", "0"} {
				if got := s.listed(t); !slices.Equal(got, want) {
					t.Errorf("listed %q, want %q", got, want)
				}
				s.put(t, "/"+name, "x")
				want = append(want, name)
				slices.Sort(want)
			}
			listing, err := s.List(t.Context(), "/")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := listing.Next(t.Context()); err != nil {
				t.Error(err)
			}
			if err := listing.Close(); err != nil { // while the next page is fetched
				t.Error(err)
			}
		})
	}
}

// listed returns the names of the members of the root, sorted.
func (s *site) listed(t *testing.T) []string {
	t.Helper()
	var names []string
	for member, err := range storage.ReadDir(t.Context(), s, "/") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, member.Name())
	}
	slices.Sort(names)
	return names
}

// TestNormalForm checks that a file has one key whatever the composition of its name is, and that it
// keeps the spelling of the client that made it.
func TestNormalForm(t *testing.T) {
	t.Parallel()
	const composed, decomposed = "/Caf\u00e9", "/Cafe\u0301"
	for _, kind := range kinds()[:2] {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, kind.database(t), kind.objects(t))
			s.put(t, decomposed, "x")
			if err := s.Mkdir(t.Context(), composed, 0o777); !errors.Is(err, fs.ErrExist) {
				t.Errorf("Mkdir: %v, want fs.ErrExist", err)
			}
			if got := s.listed(t); !slices.Equal(got, []string{decomposed[1:]}) {
				t.Errorf("listed %q", got)
			}
			root, err := storage.Canonical(t.Context(), s, "/", true)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{composed, decomposed} {
				info, err := s.Stat(t.Context(), name)
				if err != nil || storage.Direct(info) {
					t.Fatalf("%q: %v, %v", name, info, err)
				}
				canon, err := storage.Canonical(t.Context(), s, name, true)
				if err != nil || canon.Name != name || canon.Key != composed || root.Member(name[1:]).Key != composed {
					t.Errorf("the canonical form of %q is %+v, %v", name, canon, err)
				}
			}
			if err := s.Rename(t.Context(), composed, composed); err != nil {
				t.Error(err)
			}
			if got := s.listed(t); !slices.Equal(got, []string{composed[1:]}) {
				t.Errorf("renamed to another spelling, it is listed as %q", got)
			}
		})
	}
}

// TestSpool writes a file in several places, so that it needs a temporary file.
func TestSpool(t *testing.T) {
	t.Parallel()
	s := newSite(t, openSQLite(t), openDirectory(t))
	s.put(t, "/file", long)
	f, err := s.OpenFile(t.Context(), "/file", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 3<<20+4)
	copy(want, long)
	copy(want[3<<20:], "tail")
	copy(want[100:], "middle")
	for at, text := range map[int64]string{3 << 20: "tail", 100: "middle"} {
		if _, err := f.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if err != nil || string(got) != string(want) {
		t.Errorf("read %d bytes before Close, %v; want %d, as written", len(got), err, len(want))
	}
	if before := storagetest.ReadTree(t, s, "/")["/file"]; before != long {
		t.Error("the file has changed before Close")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if after := storagetest.ReadTree(t, s, "/")["/file"]; after != string(want) {
		t.Error("the file is not as it was written")
	}
	s.clean(t, s.FS)
}

// TestCloseOfRemovedFile: a file that was removed while it was open stays removed.
func TestCloseOfRemovedFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, openSQLite(t), openDirectory(t))
	f, err := s.OpenFile(t.Context(), "/file", os.O_RDWR|os.O_CREATE, 0o666)
	if err == nil {
		_, err = io.WriteString(f, long)
	}
	if err == nil {
		err = s.RemoveAll(t.Context(), "/file")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Close: %v, want fs.ErrNotExist", err)
	}
	if got := s.listed(t); got != nil {
		t.Errorf("listed %q", got)
	}
	s.clean(t, s.FS)
}

// TestKeptTwice cuts off kept content, and then asks for more than is left.
func TestKeptTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, openSQLite(t), openDirectory(t))
	const kept = storage.ReservedPrefix + "upload-test"
	add := func(from int64, content string) error {
		r, err := s.ReplaceFile(t.Context(), "/file", storage.Replacing{Perm: 0o666, Kept: kept, From: from})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(r, content); err != nil {
			return errors.Join(err, r.Discard())
		}
		return storage.Keep(t.Context(), r, storage.SyncClose)
	}
	all := long + "0123456789"
	cut := int64(len(long) + 6)
	for _, step := range []struct {
		from    int64
		content string
		want    error
	}{
		{0, long, nil},
		{int64(len(long)), "0123456789", nil},
		{cut, "", nil},
		{cut + 2, "", storage.ErrStageLost}, // It was cut off.
		{cut, "6", nil},
		{cut, "67", nil},
		{cut + 2, "89", nil},
	} {
		if err := add(step.from, step.content); !errors.Is(err, step.want) {
			t.Errorf("from %d: %v, want %v", step.from, err, step.want)
		}
	}
	want := storagetest.Tree{"/" + kept: all}
	if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	f, info, err := storage.OpenRead(t.Context(), s, "/"+kept)
	if err != nil || info.Size() != int64(len(all)) || info.IsDir() {
		t.Fatalf("%v, %v", info, err)
	}
	defer f.Close()
	for _, at := range []int{0, len(long) - 2, len(long) + 7, len(all)} {
		if _, err := f.Seek(int64(at), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(f); err != nil || string(got) != all[at:] {
			t.Errorf("from %d: %q, %v", at, got, err)
		}
	}
	if err := storage.Remove(t.Context(), s, "/"+kept); err != nil {
		t.Error(err)
	}
	s.clean(t, s.FS)
}

func TestQuota(t *testing.T) {
	t.Parallel()
	s := newSite(t, openSQLite(t), openDirectory(t))
	s.put(t, "/file", long)
	used, available, err := s.Space(t.Context(), "/file")
	if err != nil || used != int64(len(long)) || available != math.MaxInt64-used || s.Rationed(t.Context(), "/") {
		t.Errorf("%d used, %d available, %v", used, available, err)
	}
	s.SetLimit(1000)
	used, available, err = s.Space(t.Context(), "/")
	if err != nil || used != int64(len(long)) || available != 1000-used || !s.Rationed(t.Context(), "/") {
		t.Errorf("with a limit: %d used, %d available, %v", used, available, err)
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	s := newSite(t, openSQLite(t), openDirectory(t))
	other := newSite(t, openSQLite(t), openDirectory(t))
	storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/", "/dir/a": "/", "/dir/a/b": "x", "/dir/c": "x"})
	held, err := storage.Hold(t.Context(), s, "/dir")
	if err != nil {
		t.Fatal(err)
	}
	same, err := storage.Identity(t.Context(), s, "/no")
	if err != nil || same != held.Identity() || same == "" {
		t.Errorf("the identity is %q, %v; want %q", same, err, held.Identity())
	}
	if different, err := storage.Identity(t.Context(), other, "/"); err != nil || different == same {
		t.Errorf("another storage has the identity %q, %v", different, err)
	}
	if err := errors.Join(held.RemoveAll(t.Context(), "a"), held.RemoveAll(t.Context(), "no")); err != nil {
		t.Error(err)
	}
	if err := held.RemoveAll(t.Context(), "../dir"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("RemoveAll of another name: %v", err)
	}
	if err := errors.Join(s.Rename(t.Context(), "/dir", "/moved"), s.Mkdir(t.Context(), "/dir", 0o777)); err != nil {
		t.Fatal(err)
	}
	s.put(t, "/dir/c", "y")
	if err := held.RemoveAll(t.Context(), "c"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("RemoveAll in another collection: %v", err)
	}
	want := storagetest.Tree{"/dir": "/", "/dir/c": "y", "/moved": "/", "/moved/c": "x"}
	if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, want) {
		t.Errorf("the tree is %v", got)
	}
}

func TestTransacts(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	s := newSite(t, db, openDirectory(t))
	with := objectfs.New(objectfs.Options{Names: s.names, Blobs: s.blobs, State: db})
	if storage.Transacts(t.Context(), s, "/", db) || !storage.Transacts(t.Context(), with, "/", db) || storage.Transacts(t.Context(), with, "/", openSQLite(t)) {
		t.Error("only the state with the names can change them in its transactions")
	}
}

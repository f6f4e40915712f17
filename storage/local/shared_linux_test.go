package local_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/strays"
)

// openShared opens dir as a server does that shares it with others. Its stages are called
// .davd-, node and a number.
func openShared(t *testing.T, dir, node string) *local.FS {
	t.Helper()
	made := 0
	fsys, err := local.OpenWith(dir, local.Options{Stage: func() string {
		made++
		return storage.ReservedPrefix + node + "-" + strconv.Itoa(made)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	return fsys
}

// TestSharedDeep checks that a name leads nowhere as soon as another server has renamed a
// collection on the way, however deep that is.
func TestSharedDeep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	top := strings.Repeat("/d", 70)
	deep := top + "/x" + strings.Repeat("/e", 70)
	if err := os.MkdirAll(filepath.Join(dir, deep), 0o755); err != nil {
		t.Fatal(err)
	}
	a, b := openShared(t, dir, "A"), openShared(t, dir, "B")
	for range 3 {
		if _, err := a.Stat(t.Context(), deep); err != nil {
			t.Fatal(err)
		}
		if err := b.Rename(t.Context(), top+"/x", top+"/y"); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Stat(t.Context(), deep); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after another server's rename: error %v", err)
		}
		if err := b.Rename(t.Context(), top+"/y", top+"/x"); err != nil {
			t.Fatal(err)
		}
	}
}

// table has the notes of several servers.
type table struct {
	mu    sync.Mutex
	notes []strays.Note
}

func (l *table) Add(root, name string) strays.Note {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n strays.Note
	n = strays.NewNote(root, name, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.notes = slices.DeleteFunc(l.notes, func(other strays.Note) bool { return other == n })
	})
	l.notes = append(l.notes, n)
	return n
}

func (l *table) Follow(from string, into strays.Notes, root, to string) {
	l.mu.Lock()
	notes := slices.Clone(l.notes)
	l.mu.Unlock()
	for _, n := range notes {
		if rest, ok := strings.CutPrefix(n.Name, from); ok {
			into.Add(root, to+rest)
		}
	}
}

func (l *table) names() (names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.notes {
		names = append(names, n.Name)
	}
	slices.Sort(names)
	return names
}

// TestSharedNotes checks that a stage has a name, which is noted until it is placed, and that
// another server finds it after the death of its owner: only in this directory, and only under a
// reserved name. A collection that is renamed takes its notes along.
func TestSharedNotes(t *testing.T) {
	t.Parallel()
	dir, notes := t.TempDir(), &table{}
	a, b := openShared(t, dir, "A"), openShared(t, dir, "B")
	for _, fsys := range []*local.FS{a, b} {
		if err := strays.NoteIn(t.Context(), fsys, notes); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Mkdir(t.Context(), "/d", 0o755); err != nil {
		t.Fatal(err)
	}
	begin := func() storage.Replacement {
		content, err := a.ReplaceFile(t.Context(), "/d/f", storage.Replacing{Perm: 0o644, Canonical: true})
		if err == nil {
			_, err = io.WriteString(content, "content")
		}
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	placed := begin()
	if got := storage.StageName(placed); got != "/d/.davd-A-1" {
		t.Errorf("the stage is called %q", got)
	}
	if got := notes.names(); !slices.Equal(got, []string{"d/.davd-A-1"}) {
		t.Errorf("noted %q", got)
	}
	if _, err := placed.Commit(t.Context(), storage.Placing{}); err != nil {
		t.Fatal(err)
	}
	if got := notes.names(); got != nil {
		t.Errorf("after the commit, %q are noted", got)
	}
	begin() // It dies here.
	if err := b.Rename(t.Context(), "/d", "/e"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".davd-other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	left := slices.Clone(notes.notes)
	left = append(left, strays.NewNote("another directory", ".davd-other", func() {}), strays.NewNote(left[0].Root, "e/f", func() {}))
	swept, err := strays.SweepNotes(t.Context(), b, left)
	if err != nil || len(swept) != 1 || swept[0] != (strays.Swept{Name: "/e/.davd-A-2"}) {
		t.Errorf("swept %v, error %v", swept, err)
	}
	for name, want := range map[string]bool{"e/f": true, "e/.davd-A-2": false, ".davd-other": true} {
		if _, err := os.Lstat(filepath.Join(dir, name)); (err == nil) != want {
			t.Errorf("%s exists: %t, want %t", name, err == nil, want)
		}
	}
	if got := notes.names(); got != nil {
		t.Errorf("%q are still noted", got)
	}
}

package strays_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/strays"
)

// openStrays opens the file at path until the test ends or closeFile is called.
func openStrays(t *testing.T, path string) (s *strays.File, closeFile func()) {
	t.Helper()
	s, err := strays.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	closeFile = sync.OnceFunc(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(closeFile)
	return s, closeFile
}

// left returns the names that a process finds when it opens path, sorted.
func left(t *testing.T, path string) []string {
	t.Helper()
	s, closeFile := openStrays(t, path)
	defer closeFile()
	var names []string
	for _, stray := range s.Left() {
		names = append(names, stray.Name)
	}
	slices.Sort(names)
	return names
}

// TestStraysLeft checks that the next process finds a note until it is forgotten. Names are bytes, and
// long ones take several slots.
func TestStraysLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "strays")
	long := strings.Repeat("n/", 5000)
	names := []string{"a/.davd-x", "with space\nand line", "\xff\x00", long, "ü"}
	slices.Sort(names)
	s, closeFile := openStrays(t, path)
	for _, name := range names {
		gone := s.Add("", "gone")
		if noted := s.Add("42", name); noted.Name != name {
			t.Errorf("noted %+v", noted)
		}
		gone.Forget()
	}
	closeFile()
	for range 2 {
		if got := left(t, path); !slices.Equal(got, names) {
			t.Errorf("left %q, want %q", got, names)
		}
	}
	s, closeFile = openStrays(t, path)
	for _, stray := range s.Left() {
		if stray.Root != "42" {
			t.Errorf("%q has the root %q", stray.Name, stray.Root)
		}
		if stray.Name != "ü" {
			stray.Forget()
		}
	}
	s.Add("", "new")
	closeFile()
	if got := left(t, path); !slices.Equal(got, []string{"new", "ü"}) {
		t.Errorf("left %q", got)
	}
}

// TestStraysTorn checks that a write cut off by a kill is ignored, together with the old content of its
// slot and anything else that is not a record.
func TestStraysTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "strays")
	s, closeFile := openStrays(t, path)
	s.Add("", "first")
	s.Add("", strings.Repeat("n", 1000))
	closeFile()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		if cut > 600 && cut < len(whole)-100 {
			continue
		}
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := left(t, path); len(got) > 1 || len(got) == 1 && got[0] != "first" {
			t.Errorf("%d bytes: left %.40q", cut, got)
		}
	}
	for _, content := range []string{"", "\n", "+", "+0000000\n", "+00000000 \n", "+zzzzzzzz a b\n", strings.Repeat("+", 2000)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := left(t, path); got != nil && content != "+00000000 \n" || len(got) > 1 {
			t.Errorf("%.20q: left %q", content, got)
		}
	}
}

// TestStraysSize checks that the file grows only to the greatest number of notes at one time.
func TestStraysSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "strays")
	s, closeFile := openStrays(t, path)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				s.Add("1", fmt.Sprintf("collection %d/.davd-%d", i, n)).Forget()
			}
		})
	}
	all.Wait()
	info, err := os.Stat(path)
	if err != nil || info.Size() > 8*512 {
		t.Errorf("%v, error %v", info.Size(), err)
	}
	closeFile()
	if got := left(t, path); got != nil {
		t.Errorf("left %q", got)
	}
}

// TestStraysFollow checks that names in a renamed collection are noted under both names until they are
// forgotten.
func TestStraysFollow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "strays")
	s, closeFile := openStrays(t, path)
	s.Add("", "a/.davd-1")
	s.Add("", "ab/.davd-2")
	s.Follow("a/", s, "", "b/c/")
	s.Follow("b/", s, "", "d/")
	closeFile()
	if got, want := left(t, path), []string{"a/.davd-1", "ab/.davd-2", "b/c/.davd-1", "d/c/.davd-1"}; !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s, closeFile = openStrays(t, path)
	in := s.Add("", "a/.davd-1")
	s.Follow("a/", s, "", "b/c/")
	s.Follow("b/", s, "", "d/")
	in.Forget()
	s.Follow("a/", s, "", "e/")
	closeFile()
	if got := left(t, path); got != nil {
		t.Errorf("left %q", got)
	}
}

// TestStraysNowhere checks that without a file, or without room, nothing is noted and nothing fails.
func TestStraysNowhere(t *testing.T) {
	var none *strays.File
	none.Add("", "x").Forget()
	none.Follow("a/", none, "", "b/")
	if err := none.Close(); err != nil || none.Left() != nil {
		t.Error(err)
	}
	s, closeFile := openStrays(t, filepath.Join(t.TempDir(), "strays"))
	closeFile()
	if noted := s.Add("", "x"); noted != (strays.Note{}) {
		t.Errorf("noted %+v in a closed file", noted)
	}
	if _, err := strays.Open(t.TempDir()); err == nil {
		t.Error("a directory was opened")
	}
	if swept, err := strays.Sweep(t.Context(), storage.FS(nil), s); swept != nil || err != nil {
		t.Errorf("swept %v, error %v", swept, err)
	}
}

package litmus

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeFiles creates the directory dir with count files, which have different contents.
func writeFiles(t *testing.T, dir string, count int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range count {
		name := filepath.Join(dir, fmt.Sprintf("file %03d.txt", i))
		if err := os.WriteFile(name, fmt.Appendf(nil, "content of file %d\n", i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fill replaces the directory empty with the directory full.
func fill(t *testing.T, full, empty string) {
	t.Helper()
	if err := errors.Join(os.Remove(empty), os.Rename(full, empty)); err != nil {
		t.Fatal(err)
	}
}

// contents returns everything below dir, by path: the content of each file, and a slash for each
// directory.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil || entry.IsDir() {
			found[relative] = "/"
			return err
		}
		content, err := os.ReadFile(name)
		found[relative] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wantContents checks that contents(dir) is want.
func wantContents(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	got := contents(t, dir)
	var wrong []string
	for name := range union(got, want) {
		if got[name] != want[name] {
			wrong = append(wrong, fmt.Sprintf("%s: %.40q, want %.40q", name, got[name], want[name]))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		t.Errorf("%s: %d entries, want %d; %d differ:\n%s", dir, len(got), len(want), len(wrong),
			strings.Join(wrong[:min(len(wrong), 20)], "\n"))
	}
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// wantGone checks that name does not exist.
func wantGone(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Lstat(name); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", name, err)
	}
}

package local_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// FuzzNames checks that no name reaches outside the directory. No call may return the canary file
// outside, and nothing may be created beside it.
func FuzzNames(f *testing.F) {
	for _, name := range []string{
		"/", "", ".", "..", "/..", "../canary", "/../canary", "/in/../../canary", "in/..\\..\\canary",
		"/out/canary", "/abs/canary", "/file", "/in/up/canary", "/out", "/..\x00/canary", "//canary",
		"/out/../canary", "/in/up/new", "/loop/canary", "%2e%2e/canary", "/...//./../..", "C:\\canary",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		outside, fsys := cage(t)
		escaped := reaches(t, outside, filepath.Join(outside, "canary"))
		if info, err := fsys.Stat(t.Context(), name); err == nil && escaped(info) {
			t.Errorf("Stat(%q) reaches outside", name)
		}
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR | os.O_TRUNC, os.O_RDWR | os.O_CREATE} {
			file, err := fsys.OpenFile(t.Context(), name, flag, 0o666)
			if err != nil {
				continue
			}
			if info, err := file.Stat(); err != nil || escaped(info) {
				t.Errorf("OpenFile(%q, %#x) reaches outside, or %v", name, flag, err)
			}
			if err := file.Close(); err != nil {
				t.Error(err)
			}
		}
		// These calls may fail or succeed, but must not change anything outside.
		_ = fsys.Mkdir(t.Context(), name, 0o777)
		_ = fsys.Rename(t.Context(), "/move", name)
		_ = fsys.Rename(t.Context(), name, "/moved")
		_ = storage.Remove(t.Context(), fsys, name)
		_ = fsys.RemoveAll(t.Context(), name)
		entries, err := os.ReadDir(outside)
		content, readErr := os.ReadFile(filepath.Join(outside, "canary"))
		if err != nil || len(entries) != 2 || readErr != nil || string(content) != "canary" {
			t.Errorf("%q changed files outside: %v, %v, %q, %v", name, entries, err, content, readErr)
		}
	})
}

// reaches returns a function that recognises the files at paths.
func reaches(t *testing.T, paths ...string) func(info fs.FileInfo) bool {
	t.Helper()
	var off []fs.FileInfo
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		off = append(off, info)
	}
	return func(info fs.FileInfo) bool {
		return slices.ContainsFunc(off, func(other fs.FileInfo) bool { return storage.SameFile(info, other) })
	}
}

// cage returns a directory that contains a canary file and a share, with links in the share that lead
// out of it.
func cage(t *testing.T) (outside string, fsys *local.FS) {
	t.Helper()
	outside = t.TempDir()
	share := filepath.Join(outside, "share")
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(filepath.Join(outside, "canary"), []byte("canary"), 0o600))
	must(os.MkdirAll(filepath.Join(share, "in"), 0o700))
	must(os.WriteFile(filepath.Join(share, "move"), nil, 0o600))
	for link, target := range map[string]string{
		"out": "..", "abs": outside, "file": "../canary", "in/up": "../..", "loop": "loop",
	} {
		must(os.Symlink(target, filepath.Join(share, link)))
	}
	fsys, err := local.Open(share)
	must(err)
	t.Cleanup(func() { must(fsys.Close()) })
	return outside, fsys
}

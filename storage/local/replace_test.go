package local_test

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// begin starts to replace the content of name.
func (s share) begin(t *testing.T, name, content string) storage.Replacement {
	t.Helper()
	r, err := s.ReplaceFile(t.Context(), name, storage.Replacing{Perm: 0o666})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(r, content); err != nil {
		t.Fatal(err)
	}
	return r
}

// replace replaces the content of name.
func (s share) replace(t *testing.T, name, content string) error {
	t.Helper()
	r, err := s.ReplaceFile(t.Context(), name, storage.Replacing{Perm: 0o666})
	if err != nil {
		return err
	}
	_, writeErr := io.WriteString(r, content)
	_, err = r.Commit(t.Context(), storage.Placing{})
	return errors.Join(writeErr, err)
}

// names returns all names in the directory name, including reserved ones.
func (s share) names(t *testing.T, name string) []string {
	t.Helper()
	entries, err := os.ReadDir(s.path(name))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// TestReplaceFileFollowsTheName checks that a replacement in a collection that is renamed afterwards
// isn't put in the renamed collection, above all not outside.
func TestReplaceFileFollowsTheName(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		outside := t.TempDir()
		storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/", "/dir/file": "old"})
		r := s.begin(t, "/dir/file", "new")
		if err := os.Rename(s.path("/dir"), outside+"/dir"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside+"/dir", s.path("/dir")); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Commit(t.Context(), storage.Placing{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Commit through a link that leads out: %v, want fs.ErrPermission", err)
		}
		if got, err := os.ReadFile(outside + "/dir/file"); err != nil || string(got) != "old" {
			t.Errorf("the file outside reads %q, %v", got, err)
		}
		entries, err := os.ReadDir(outside + "/dir")
		if err != nil || len(entries) != 1 {
			t.Errorf("outside contains %v, %v", entries, err)
		}
	})
}

// TestReplaceFileParentReplaced renames the collection and creates another one with its name. The new
// collection may get the file, but the renamed one must not.
func TestReplaceFileParentReplaced(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/", "/dir/file": "old"})
		r := s.begin(t, "/dir/file", "new")
		if err := s.Rename(t.Context(), "/dir", "/moved"); err != nil {
			t.Fatal(err)
		}
		want := storagetest.Tree{"/dir": "/", "/moved": "/", "/moved/file": "old"}
		storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/"})
		if _, err := r.Commit(t.Context(), storage.Placing{}); err == nil {
			want["/dir/file"] = "new"
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Commit: %v, want fs.ErrNotExist", err)
		}
		if got := storagetest.ReadTree(t, s, "/"); !maps.Equal(got, want) {
			t.Errorf("the share contains %q, want %q", got, want)
		}
	})
}

func TestReplaceFileParentRenamed(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		storagetest.WriteTree(t, s, storagetest.Tree{"/dir": "/", "/dir/file": "old"})
		r := s.begin(t, "/dir/file", "new")
		if err := s.Rename(t.Context(), "/dir", "/moved"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Commit(t.Context(), storage.Placing{}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Commit: %v, want fs.ErrNotExist", err)
		}
		if names := s.names(t, "/moved"); !slices.Equal(names, []string{"file"}) {
			t.Errorf("/moved contains %q", names)
		}
		if got := storagetest.ReadTree(t, s, "/"); got["/moved/file"] != "old" || len(got) != 2 {
			t.Errorf("the share contains %q", got)
		}
	})
}

// TestReplaceFileLinkPlanted checks that Commit doesn't follow a link outside that was created later.
func TestReplaceFileLinkPlanted(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		secret := t.TempDir() + "/secret"
		if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := s.begin(t, "/file", "new")
		if err := os.Symlink(secret, s.path("/file")); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Commit(t.Context(), storage.Placing{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Commit: %v, want fs.ErrPermission", err)
		}
		if got, err := os.ReadFile(secret); err != nil || string(got) != "secret" {
			t.Errorf("the file outside reads %q, %v", got, err)
		}
	})
}

// TestReplaceFileHardLink checks that the other name keeps the old file.
func TestReplaceFileHardLink(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		storagetest.WriteTree(t, s, storagetest.Tree{"/file": "old"})
		if err := os.Link(s.path("/file"), s.path("/other")); err != nil {
			t.Fatal(err)
		}
		if err := s.replace(t, "/file", "new"); err != nil {
			t.Fatal(err)
		}
		if got := storagetest.ReadTree(t, s, "/"); got["/file"] != "new" || got["/other"] != "old" {
			t.Errorf("the share contains %q", got)
		}
	})
}

// TestReplaceFileVersions checks that replacements have different times even if the clock stands still.
func TestReplaceFileVersions(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		synctest.Test(t, func(t *testing.T) {
			times := map[time.Time]bool{}
			for range 5 {
				if err := s.replace(t, "/file", "same size"); err != nil {
					t.Fatal(err)
				}
				info, err := s.Stat(t.Context(), "/file")
				if err != nil {
					t.Fatal(err)
				}
				times[info.ModTime()] = true
			}
			if len(times) != 5 {
				t.Errorf("5 replacements have the times %v", times)
			}
		})
	})
}

// TestReplaceFileHelpsTheKernel checks that io.Copy finds the ReadFrom of the file.
func TestReplaceFileHelpsTheKernel(t *testing.T) {
	s := newShare(t)
	r := s.begin(t, "/file", "")
	if _, ok := r.(io.ReaderFrom); !ok {
		t.Errorf("a %T is not an io.ReaderFrom", r)
	}
	if err := r.Discard(); err != nil {
		t.Error(err)
	}
}

// TestReplaceFileErrorsNameNothingOfTheDisk checks that errors don't contain the reserved name either.
func TestReplaceFileErrorsNameNothingOfTheDisk(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		r := s.begin(t, "/file", "x")
		if err := r.Discard(); err != nil {
			t.Error(err)
		}
		_, writeErr := r.Write(nil)
		_, readErr := io.Copy(r, strings.NewReader("x"))
		_, commitErr := r.Commit(t.Context(), storage.Placing{})
		_, rootErr := s.ReplaceFile(t.Context(), "/", storage.Replacing{Perm: 0o666})
		for _, test := range []struct {
			err  error
			want string
		}{
			{writeErr, "replacefile /file: file already closed"},
			{readErr, "replacefile /file: file already closed"},
			{commitErr, "replacefile /file: file already closed"},
			{rootErr, "replacefile /: is a directory"},
		} {
			if test.err == nil || test.err.Error() != test.want {
				t.Errorf("error %v, want %q", test.err, test.want)
			}
		}
	})
}

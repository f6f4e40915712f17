package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/storage"
)

// TestPlaceExclusive checks that place doesn't replace a file that has appeared since the spot was found.
func TestPlaceExclusive(t *testing.T) {
	for name, ways := range map[string][]way{"unnamed, if possible": defaultWays(), "named": nil} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fsys, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer fsys.Close()
			fsys.ways = ways
			to, err := fsys.spot("file")
			if err != nil {
				t.Fatal(err)
			}
			defer to.close()
			s, err := fsys.newStage(to, "file", 0o666)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "file")
			if err := os.WriteFile(path, []byte("early"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := s.place(fsys, to, storage.Placing{Modified: time.Now()}); !errors.Is(err, syscall.EEXIST) {
				t.Errorf("place: %v, want syscall.EEXIST", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != "early" {
				t.Errorf("the file reads %q, %v", got, err)
			}
			// Try again, as commit does.
			again, err := fsys.spot("file")
			if err != nil {
				t.Fatal(err)
			}
			defer again.close()
			if _, err := s.place(fsys, again, storage.Placing{Modified: time.Now()}); err != nil {
				t.Error(err)
			}
			if err := s.discard(); err != nil {
				t.Error(err)
			}
			entries, err := os.ReadDir(dir)
			if got, readErr := os.ReadFile(path); err != nil || len(entries) != 1 || readErr != nil || len(got) != 0 {
				t.Errorf("the directory contains %v, %v; the file reads %q, %v", entries, err, got, readErr)
			}
		})
	}
}

// lateStage is a stage in whose place a file appears at the last moment.
type lateStage struct {
	stage
	path string
	once *sync.Once
}

func (s lateStage) place(f *FS, to *spot, p storage.Placing) (info fs.FileInfo, err error) {
	s.once.Do(func() { err = os.WriteFile(s.path, []byte("early"), 0o600) })
	if err != nil {
		return nil, err
	}
	return s.stage.place(f, to, p)
}

// TestCommitTooLate checks that Commit replaces a file that appears at the last moment, unless Create
// is set.
func TestCommitTooLate(t *testing.T) {
	for _, ways := range [][]way{defaultWays(), nil} {
		for create, want := range map[bool]error{true: fs.ErrExist, false: nil} {
			dir := t.TempDir()
			fsys, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer fsys.Close()
			fsys.ways = ways
			to, err := fsys.spot("file")
			if err != nil {
				t.Fatal(err)
			}
			defer to.close()
			s, err := fsys.newStage(to, "file", 0o666)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "file")
			r := &replacement{fsys: fsys, name: "/file", local: "file", stage: lateStage{s, path, new(sync.Once)}}
			if _, err := r.Commit(t.Context(), storage.Placing{Create: create}); !errors.Is(err, want) {
				t.Errorf("create %t, ways %v: %v, want %v", create, ways, err, want)
			}
			entries, err := os.ReadDir(dir)
			content, readErr := os.ReadFile(path)
			if err != nil || len(entries) != 1 || readErr != nil || (string(content) == "early") != create {
				t.Errorf("create %t: the directory contains %v, %v; the file reads %q, %v", create, entries, err, content, readErr)
			}
		}
	}
}

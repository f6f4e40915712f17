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
)

// TestPlaceExclusive: what has come since it was looked for is not replaced.
func TestPlaceExclusive(t *testing.T) {
	for name, ways := range map[string][]way{"unnamed, if that goes": defaultWays(), "named": nil} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fsys, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer fsys.Close()
			fsys.ways = ways
			s, err := fsys.newStage("file", "file", 0o666, false)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "file")
			if err := os.WriteFile(path, []byte("early"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := s.place(fsys, "file", time.Now(), true); !errors.Is(err, syscall.EEXIST) {
				t.Errorf("place: %v, want syscall.EEXIST", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != "early" {
				t.Errorf("the file reads %q, %v", got, err)
			}
			// A second time, as commit does.
			if _, err := s.place(fsys, "file", time.Now(), false); err != nil {
				t.Error(err)
			}
			if err := s.discard(); err != nil {
				t.Error(err)
			}
			entries, err := os.ReadDir(dir)
			if got, readErr := os.ReadFile(path); err != nil || len(entries) != 1 || readErr != nil || len(got) != 0 {
				t.Errorf("the directory holds %v, %v; the file reads %q, %v", entries, err, got, readErr)
			}
		})
	}
}

// lateStage is a stage that finds a file where none was.
type lateStage struct {
	stage
	path string
	once *sync.Once
}

func (s lateStage) place(f *FS, local string, modified time.Time, exclusive bool) (info fs.FileInfo, err error) {
	s.once.Do(func() { err = os.WriteFile(s.path, []byte("early"), 0o600) })
	if err != nil {
		return nil, err
	}
	return s.stage.place(f, local, modified, exclusive)
}

// TestCommitTooLate: what has come in the last moment is replaced, unless the
// file was to be made.
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
			s, err := fsys.newStage("file", "file", 0o666, false)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "file")
			r := &replacement{fsys: fsys, name: "/file", local: "file", stage: lateStage{s, path, new(sync.Once)}}
			if _, err := r.Commit(t.Context(), time.Time{}, create); !errors.Is(err, want) {
				t.Errorf("create %t, ways %v: %v, want %v", create, ways, err, want)
			}
			entries, err := os.ReadDir(dir)
			content, readErr := os.ReadFile(path)
			if err != nil || len(entries) != 1 || readErr != nil || (string(content) == "early") != create {
				t.Errorf("create %t: the directory holds %v, %v; the file reads %q, %v", create, entries, err, content, readErr)
			}
		}
	}
}

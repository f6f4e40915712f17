package local

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"
)

// staleAccess answers the first calls with ESTALE.
type staleAccess struct {
	access
	left int
}

func (s *staleAccess) Lstat(string) (fs.FileInfo, error) {
	if s.left > 0 {
		s.left--
		return nil, &fs.PathError{Op: "lstat", Path: "name", Err: syscall.ESTALE}
	}
	return nil, nil
}

func (s *staleAccess) Remove(name string) error {
	_, err := s.Lstat(name)
	return err
}

// TestStale checks that a stale answer is asked for once more, but only once.
func TestStale(t *testing.T) {
	t.Parallel()
	for left, want := range []error{nil, nil, syscall.ESTALE} {
		if _, err := (renewed{&staleAccess{left: left}}).Lstat("name"); !errors.Is(err, want) {
			t.Errorf("%d stale answers: error %v, want %v", left, err, want)
		}
		if err := (renewed{&staleAccess{left: left}}).Remove("name"); !errors.Is(err, want) {
			t.Errorf("%d stale answers to Remove: error %v, want %v", left, err, want)
		}
	}
}

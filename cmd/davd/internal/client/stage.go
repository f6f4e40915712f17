package client

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// staged is a file that is written under a temporary name, in its final directory.
type staged struct {
	root      *os.Root
	file      *os.File
	temporary string
	name      string
}

// stage creates a staged file for name in root.
func stage(root *os.Root, name string) (*staged, error) {
	temporary := filepath.Join(filepath.Dir(name), ".davd-get-"+strings.ToLower(rand.Text()))
	file, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return &staged{root: root, file: file, temporary: temporary, name: name}, nil
}

// place gives the file its final name, and its modification time unless that is zero.
func (s *staged) place(modified time.Time) error {
	err := s.file.Close()
	// Chtimes uses nanoseconds since 1970, which overflow in 2262.
	if err == nil && !modified.IsZero() && time.Unix(0, modified.UnixNano()).Equal(modified) {
		err = s.root.Chtimes(s.temporary, time.Time{}, modified)
	}
	if err == nil {
		err = s.root.Rename(s.temporary, s.name)
	}
	if err == nil {
		s.temporary = ""
	}
	return err
}

// discard removes the temporary file unless it was placed.
func (s *staged) discard() {
	if s.temporary == "" {
		return
	}
	_ = s.file.Close()
	_ = s.root.Remove(s.temporary)
}

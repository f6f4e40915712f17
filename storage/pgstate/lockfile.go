package pgstate

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// lockFile names the epoch of this node on the disk of its machine. While the process lives, it
// holds a lock on the file. So a process that gets the lock knows that the node in the file has
// ended.
type lockFile struct {
	file *os.File
}

// openLockFile opens the file, and creates it if necessary.
func openLockFile(path string) (*lockFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the file that names this node: %w", err)
	}
	if err := lockAlone(file); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: another davd uses it: each needs a directory of its own: %w", path, err), file.Close())
	}
	return &lockFile{file}, nil
}

// replace writes the epoch and returns the one before.
func (f *lockFile) replace(epoch string) (before string, err error) {
	if f == nil {
		return "", nil
	}
	content, err := os.ReadFile(f.file.Name())
	if err == nil {
		_, err = f.file.WriteAt([]byte(epoch+"\n"), 0)
	}
	if err != nil {
		return "", fmt.Errorf("the file that names this node: %w", err)
	}
	before, _, _ = strings.Cut(string(content), "\n")
	return before, nil
}

// close gives up the lock.
func (f *lockFile) close() error {
	if f == nil {
		return nil
	}
	return f.file.Close()
}

//go:build !windows

package sqlstate

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/davd/davd/storage"
)

// owner is the exclusive right to use a database. It ends with the process. It is a
// lock on a separate file, because SQLite's locks on the database end as soon as
// anything in the process closes that file.
type owner struct{ file *os.File }

// own returns the right, or an error that says which process has it.
func own(path string) (*owner, error) {
	name := path + ".lock"
	for {
		file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, fmt.Errorf("the directory of the database can't be written: %w", full(err))
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			err = refusal(path, file, err)
			return nil, errors.Join(err, file.Close())
		}
		if isAt(file, name) {
			// The number of the process is only information, so a full disk is no
			// error.
			if _, err := fmt.Fprintf(file, "%-10d\n", os.Getpid()); err != nil && !storage.NoSpace(err) {
				return nil, errors.Join(fmt.Errorf("the lock of the database: %w", err), (&owner{file}).release())
			}
			return &owner{file}, nil
		}
		// Its previous owner has removed the file since.
		if err := file.Close(); err != nil {
			return nil, err
		}
	}
}

// isAt reports whether name refers to file.
func isAt(file *os.File, name string) bool {
	ours, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(name)
	return err == nil && os.SameFile(ours, there)
}

func refusal(path string, file *os.File, err error) error {
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("%s: locking it: %w", file.Name(), err)
	}
	var pid [10]byte
	n, _ := file.ReadAt(pid[:], 0) // The number is only information.
	return inUse(path, strings.TrimSpace(string(pid[:n])))
}

// release gives up the right. It removes the file before it closes it, so that a
// process that opens the file in between notices that it was removed.
func (o *owner) release() error {
	return errors.Join(os.Remove(o.file.Name()), o.file.Close())
}

// syncDir makes changes of the names in a directory durable.
func syncDir(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

package blobs

import (
	"errors"
	"os"
)

// Temporary is a temporary file that leaves nothing behind: where a file can be removed while it is
// open, also after a kill.
type Temporary struct{ *os.File }

// NewTemporary makes an empty file in the system's directory for temporary files.
func NewTemporary() (Temporary, error) {
	file, err := os.CreateTemp("", "davd-spool-*")
	if err == nil {
		_ = os.Remove(file.Name())
	}
	return Temporary{file}, err
}

// Close removes the file.
func (t Temporary) Close() error {
	err := t.File.Close()
	if removed := os.Remove(t.Name()); removed != nil && !errors.Is(removed, os.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

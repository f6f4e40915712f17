package sqlstate

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// owner is the right to use a database, which ends with the process. It is a
// file of its own that nobody else can open at the same time.
type owner struct{ handle syscall.Handle }

const (
	errorSharingViolation = syscall.Errno(32)
	fileFlagDeleteOnClose = 0x04000000
)

// own returns the right, or an error that says that it is taken.
func own(path string) (*owner, error) {
	name, err := syscall.UTF16PtrFromString(path + ".lock")
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL|fileFlagDeleteOnClose, 0)
	if errors.Is(err, errorSharingViolation) {
		return nil, inUse(path, "")
	}
	if err != nil {
		err = &os.PathError{Op: "open", Path: path + ".lock", Err: err}
		return nil, fmt.Errorf("the directory of the database can't be written: %w", err)
	}
	return &owner{handle}, nil
}

// release gives the right up. The file goes with its handle.
func (o *owner) release() error { return syscall.CloseHandle(o.handle) }

// syncDir does nothing: NTFS logs the changes of names itself.
func syncDir(string) error { return nil }

package sqlstate

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// owner is the exclusive right to use a database. It ends with the process. It is a
// separate file that no other process can open at the same time.
type owner struct{ handle syscall.Handle }

const (
	errorSharingViolation = syscall.Errno(32)
	fileFlagDeleteOnClose = 0x04000000
)

// own returns the right, or an error that says that another process has it.
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

// release gives up the right. Closing the handle removes the file.
func (o *owner) release() error { return syscall.CloseHandle(o.handle) }

// syncDir does nothing, because NTFS logs changes of names itself.
func syncDir(string) error { return nil }

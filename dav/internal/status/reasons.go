package status

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/davd/davd/storage"
)

// storageReasons explain errors of the storage to a client. The first match counts.
var storageReasons = []struct {
	err    error
	reason string
}{
	{storage.ErrState, "the server can't store locks and properties at the moment"},
	{syscall.ENAMETOOLONG, "the path, or a name in it, is too long for the storage"},
	{syscall.ELOOP, "a symbolic link in the path leads in a circle or must not be followed"},
	{syscall.ENXIO, "the resource is neither a file nor a collection but a FIFO, a socket or a device"},
	{syscall.EROFS, "the storage is read-only"},
	{syscall.EACCES, "the server lacks permission for this file or collection"},
	{syscall.EPERM, "the server lacks permission for this file or collection"},
	{fs.ErrPermission, "the storage does not permit this, for example because a symbolic link leads out of the share"},
}

// storageReason returns the explanation of an error of the storage for a client, or ""
// if the status says enough, as a 404 does.
func storageReason(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	for _, s := range storageReasons {
		if errors.Is(err, s.err) {
			return s.reason
		}
	}
	return ""
}

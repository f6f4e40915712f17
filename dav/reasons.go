package dav

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/davd/davd/storage"
)

// storageReasons say for a client's eyes what an error of the storage means. The
// first match counts.
var storageReasons = []struct {
	err    error
	reason string
}{
	{storage.ErrState, "the server can't keep locks and properties at present"},
	{syscall.ENAMETOOLONG, "a name in the path, or all of it, is longer than the storage can have"},
	{syscall.ELOOP, "a symbolic link on the path leads in a circle, or may not be followed"},
	{syscall.ENXIO, "what is there is neither a file nor a collection, but a FIFO, a socket or a device"},
	{syscall.EROFS, "the storage is read-only"},
	{syscall.EACCES, "the server has not the permission in its storage"},
	{syscall.EPERM, "the server has not the permission in its storage"},
	{fs.ErrPermission, "the storage does not permit it, as where a symbolic link leads out of the share"},
}

// storageReason is what a client is told of an error of the storage, "" for
// nothing: that something is not there needs no words.
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

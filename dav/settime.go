package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/davd/davd/storage"
)

// timePrecision is that of FAT, which is the coarsest of all filesystems.
const timePrecision = 2 * time.Second

// errTimeNotKept says that the storage has stored another time than it was given.
// Filesystems have an earliest and a last second: 2038 with the small inodes of
// ext4 and on XFS without bigtime, 2107 on FAT, 2446 on ext4.
var errTimeNotKept = &statusError{
	status: http.StatusConflict,
	reason: "the server's filesystem can't store this time: it is too early or too late",
}

// setTime sets the modification time of name, which info describes. It returns
// errTimeNotKept, and sets the old time again, if the storage doesn't keep
// modified to its precision.
func (h *Handler) setTime(ctx context.Context, name string, info fs.FileInfo, modified time.Time) error {
	if err := storage.SetTimes(ctx, h.FileSystem, name, modified); err != nil {
		return err
	}
	now, err := h.stat(ctx, name)
	if err == nil && now.ModTime().Sub(modified).Abs() <= timePrecision {
		return nil
	}
	if err == nil {
		err = errTimeNotKept
	}
	return errors.Join(err, h.resetTime(ctx, name, info))
}

// resetTime sets the modification time that info has.
func (h *Handler) resetTime(ctx context.Context, name string, info fs.FileInfo) error {
	return storage.SetTimes(context.WithoutCancel(ctx), h.FileSystem, name, info.ModTime())
}

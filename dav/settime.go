package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// timePrecision is the precision of modification times on FAT, the coarsest of all
// filesystems.
const timePrecision = 2 * time.Second

// errTimeNotKept says that the storage stored a different time. Filesystems have an
// earliest and a latest time: the latest is in 2038 on ext4 with small inodes and on XFS
// without bigtime, in 2107 on FAT, and in 2446 on ext4.
var errTimeNotKept = &status.Error{
	Status: http.StatusConflict,
	Reason: "the server's filesystem can't store this time: it is too early or too late",
}

// setTime sets the modification time of name, which info describes. If the storage does
// not keep the time, apart from rounding, setTime restores the old time and returns
// errTimeNotKept.
func (h *Handler) setTime(ctx context.Context, name string, info fs.FileInfo, modified time.Time) error {
	if err := storage.SetTimes(ctx, h.FileSystem, name, modified); err != nil {
		return err
	}
	now, err := h.names().Stat(ctx, name)
	if err == nil && now.ModTime().Sub(modified).Abs() <= timePrecision {
		return nil
	}
	if err == nil {
		err = errTimeNotKept
	}
	return errors.Join(err, h.resetTime(ctx, name, info))
}

// resetTime restores the modification time in info.
func (h *Handler) resetTime(ctx context.Context, name string, info fs.FileInfo) error {
	return storage.SetTimes(context.WithoutCancel(ctx), h.FileSystem, name, info.ModTime())
}

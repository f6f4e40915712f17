package local

import (
	"context"
	"io/fs"
	"time"
)

// BirthTime returns when name, or what it links to inside the directory, was
// made. It is errors.ErrUnsupported where the system or the filesystem does not
// keep that.
func (f *FS) BirthTime(ctx context.Context, name string) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	local, ok := localName(name)
	if !ok {
		return time.Time{}, &fs.PathError{Op: "birthtime", Path: name, Err: fs.ErrNotExist}
	}
	born, err := f.birthTime(local)
	return born, f.failed("birthtime", name, err, reading)
}

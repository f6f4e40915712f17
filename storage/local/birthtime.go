package local

import (
	"context"
	"io/fs"
	"time"
)

// BirthTime returns when name was created. It follows a symbolic link inside the
// directory. It returns errors.ErrUnsupported if the system or the filesystem doesn't
// record that.
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

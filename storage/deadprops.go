package storage

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/net/webdav"
)

// DeadPropsReader is an [FS] that can read dead properties without opening the file, or
// that has no dead properties.
type DeadPropsReader interface {
	FS

	// ReadDeadProps returns the dead properties of name (RFC 4918 §4.2), or nil if
	// it has none.
	ReadDeadProps(ctx context.Context, name string) (map[xml.Name]webdav.Property, error)
}

// ReadDeadProps returns the dead properties of name. Without a [DeadPropsReader] it
// opens name and asks the file, if that is a webdav.DeadPropsHolder, as x/net/webdav
// does.
func ReadDeadProps(ctx context.Context, fsys FS, name string) (map[xml.Name]webdav.Property, error) {
	if r, ok := fsys.(DeadPropsReader); ok {
		return r.ReadDeadProps(ctx, name)
	}
	f, err := fsys.OpenFile(ctx, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if holder, ok := f.(webdav.DeadPropsHolder); ok {
		return holder.DeadProps()
	}
	return nil, nil
}

// CopyDeadProps copies the dead properties of src to dst, which is in into. If src has
// none, it doesn't open dst.
func CopyDeadProps(ctx context.Context, fsys FS, src string, into FS, dst string) error {
	props, err := ReadDeadProps(ctx, fsys, src)
	if err != nil || len(props) == 0 {
		return err
	}
	f, err := into.OpenFile(ctx, dst, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	holder, ok := f.(webdav.DeadPropsHolder)
	if !ok {
		return &fs.PathError{Op: "copydeadprops", Path: dst, Err: errors.ErrUnsupported}
	}
	patch := webdav.Proppatch{Props: make([]webdav.Property, 0, len(props))}
	for _, prop := range props {
		patch.Props = append(patch.Props, prop)
	}
	_, err = holder.Patch([]webdav.Proppatch{patch})
	return err
}

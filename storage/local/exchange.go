package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Exchange swaps a and b in one step. If one is a symbolic link, it moves the link itself.
// It returns errors.ErrUnsupported on other systems than Linux and on filesystems that
// can't do it, and fs.ErrInvalid if one of the two is below the other.
func (f *FS) Exchange(ctx context.Context, a, b string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.exchange(a, b); err != nil {
		return &os.LinkError{Op: "exchange", Old: a, New: b, Err: err}
	}
	return nil
}

func (f *FS) exchange(a, b string) error {
	localA, okA := localName(a)
	localB, okB := localName(b)
	switch {
	case !okA || !okB:
		return fs.ErrNotExist
	case localA == rootName || localB == rootName:
		return fs.ErrPermission
	case below(localA, localB) || below(localB, localA):
		return fs.ErrInvalid
	}
	f.follow(localA, localB)
	f.follow(localB, localA)
	defer f.short.forget()
	err := f.exchangeLocal(localA, localB)
	if errors.Is(err, errors.ErrUnsupported) {
		return errors.ErrUnsupported
	}
	return f.meaning(err, writing)
}

// below reports whether local is in the collection dir, at any depth.
func below(local, dir string) bool {
	return strings.HasPrefix(local, dir+string(filepath.Separator))
}

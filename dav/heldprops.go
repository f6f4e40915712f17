package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"slices"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
)

// heldProps is a deadprops.Store of properties that the files of a FileSystem
// keep themselves (webdav.DeadPropsHolder). They go where the files go.
type heldProps struct{ fsys storage.FS }

// Any can't know without a look at each.
func (heldProps) Any(context.Context, string) (bool, error) { return true, nil }

// Read returns the properties of names; a name that is not there has none.
func (p heldProps) Read(ctx context.Context, names ...string) (map[string][]webdav.Property, error) {
	found := make(map[string][]webdav.Property)
	for _, name := range names {
		held, err := storage.ReadDeadProps(ctx, p.fsys, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, property := range held {
			found[name] = append(found[name], property)
		}
		slices.SortFunc(found[name], func(a, b webdav.Property) int {
			return deadprops.Compare(a.XMLName, b.XMLName)
		})
	}
	return found, nil
}

// Patch is the file's own. It is atomic if that is.
func (p heldProps) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	f, err := p.fsys.OpenFile(ctx, name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) {
		// Of webdav.NewMemFS the root, whose properties can be changed all the
		// same.
		f, err = p.fsys.OpenFile(ctx, name, os.O_RDONLY, 0)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	holder, ok := f.(webdav.DeadPropsHolder)
	if !ok {
		return &fs.PathError{Op: "proppatch", Path: name, Err: errors.ErrUnsupported}
	}
	propstats, err := holder.Patch(patches)
	for _, propstat := range propstats {
		if err == nil && propstat.Status != http.StatusOK {
			err = &statusError{status: propstat.Status, reason: "the property can't be changed"}
		}
	}
	return err
}

// Move has nothing to do: the files have taken theirs along.
func (heldProps) Move(context.Context, string, string) error { return nil }

// Copy has nothing to do: storage/tree has copied them with the files.
func (heldProps) Copy(context.Context, string, string, bool) error { return nil }

// Remove has nothing to do: they have gone with the files.
func (heldProps) Remove(context.Context, string) error { return nil }

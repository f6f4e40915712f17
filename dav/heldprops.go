package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
)

// heldProps is a deadprops.Store for a FileSystem whose files keep their properties
// themselves (webdav.DeadPropsHolder). The properties move with the files.
type heldProps struct{ fsys storage.FS }

// Any returns true, because it would have to look at every file to know.
func (heldProps) Any(context.Context, string) (bool, error) { return true, nil }

// Read returns the properties of names. A name that doesn't exist has none. A file
// returns all its properties together, so all of them are in memory for a moment.
func (p heldProps) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	selected := deadprops.Selection{Query: query}
	for _, name := range query.Names {
		props, err := p.sorted(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		for _, property := range props {
			if !selected.Add(name, property) {
				return selected.Found, selected.Next, nil
			}
		}
	}
	return selected.Found, nil, nil
}

// sorted returns the properties of name in the order of their names.
func (p heldProps) sorted(ctx context.Context, name string) ([]webdav.Property, error) {
	held, err := storage.ReadDeadProps(ctx, p.fsys, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(held), func(a, b webdav.Property) int {
		return deadprops.Compare(a.XMLName, b.XMLName)
	}), nil
}

// withinLimits returns a *deadprops.LimitError if patches make the properties of name
// larger than ctx allows. It can't check the total of an owner, which is unknown.
func (p heldProps) withinLimits(ctx context.Context, name string, patches []webdav.Proppatch) error {
	budget, given := deadprops.BudgetOf(ctx)
	if !given {
		return nil
	}
	if err := budget.Limits.CheckProperties(patches); err != nil {
		return err
	}
	held, err := storage.ReadDeadProps(ctx, p.fsys, name)
	if err != nil {
		return err
	}
	after := make(map[xml.Name]webdav.Property)
	maps.Copy(after, held)
	for _, patch := range patches {
		for _, property := range patch.Props {
			if delete(after, property.XMLName); !patch.Remove {
				after[property.XMLName] = property
			}
		}
	}
	return budget.Limits.CheckResource(sizeOf(held), sizeOf(after))
}

func sizeOf(props map[xml.Name]webdav.Property) (bytes int64) {
	for _, property := range props {
		bytes += int64(deadprops.Size(property))
	}
	return bytes
}

// Patch changes the properties of the file name. It is atomic if the file's own Patch
// is.
func (p heldProps) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	if err := p.withinLimits(ctx, name, patches); err != nil {
		return err
	}
	f, err := p.fsys.OpenFile(ctx, name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrPermission) {
		// webdav.NewMemFS can't open its root for writing, but can change its properties.
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
			err = status.New(propstat.Status, "the property can't be changed")
		}
	}
	return err
}

// The properties have moved, were copied by storage/tree or were removed with the files, and
// are not counted.

func (heldProps) Move(context.Context, string, string) error          { return nil }
func (heldProps) MayCopy(context.Context, string, string, bool) error { return nil }
func (heldProps) Copy(context.Context, string, string, bool) error    { return nil }
func (heldProps) Remove(context.Context, string) error                { return nil }

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

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
)

// heldProps is a deadprops.Store of properties that the files of a FileSystem
// keep themselves (webdav.DeadPropsHolder). They go where the files go.
type heldProps struct{ fsys storage.FS }

// Any can't know without a look at each.
func (heldProps) Any(context.Context, string) (bool, error) { return true, nil }

// Read returns the properties of names; a name that is not there has none. A file
// gives all its properties at once, so they are all in memory for a moment.
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
// larger than ctx allows. How much an owner has is not known.
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
	after := maps.Clone(held)
	if after == nil {
		after = make(map[xml.Name]webdav.Property)
	}
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

// Patch is the file's own. It is atomic if that is.
func (p heldProps) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	if err := p.withinLimits(ctx, name, patches); err != nil {
		return err
	}
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

// MayCopy has nothing to count.
func (heldProps) MayCopy(context.Context, string, string, bool) error { return nil }

// Copy has nothing to do: storage/tree has copied them with the files.
func (heldProps) Copy(context.Context, string, string, bool) error { return nil }

// Remove has nothing to do: they have gone with the files.
func (heldProps) Remove(context.Context, string) error { return nil }

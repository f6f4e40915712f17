package objectfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"

	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/names"
)

// Problem is a row or an object that [Check] has found.
type Problem struct {
	Kind ProblemKind
	// Key is that of the object.
	Key string
	// Name is that of one of the files that have the object; "" if none has.
	Name string
	// Want is the size in the database, and Have that of the object, in bytes.
	Want, Have int64
}

// ProblemKind says what is wrong.
type ProblemKind string

const (
	// Missing says that the object of a file doesn't exist: the content is lost.
	Missing ProblemKind = "missing"
	// WrongSize says that an object has another size than its file.
	WrongSize ProblemKind = "size"
	// Orphan says that no row knows an object. The collector will remove it, if it is of this name
	// space. This is no damage.
	Orphan ProblemKind = "orphan"
)

// Checked counts what [Check] has compared.
type Checked struct {
	// Files are objects that files refer to, and Bytes their size.
	Files, Bytes int64
	// Waiting are objects without a file that may get one, or that stay for a while after their
	// last file was removed.
	Waiting int64
	// Missing, WrongSize and Orphans count the problems.
	Missing, WrongSize, Orphans int64
}

// Damaged reports whether content is lost.
func (c Checked) Damaged() bool { return c.Missing+c.WrongSize > 0 }

// Check compares all rows with all objects, and calls found with each problem. Files may be changed
// meanwhile.
func Check(ctx context.Context, rows names.Collecting, objects blobs.Store, found func(Problem)) (Checked, error) {
	c := &checking{names: rows, blobs: objects, found: found}
	next, stop := iter.Pull2(objects.List(ctx, ""))
	defer stop()
	object, err, more := next()
	for row, rowErr := range rows.Objects(ctx) {
		if rowErr != nil {
			return c.Checked, rowErr
		}
		for ; more && err == nil && object.Key < row.Key; object, err, more = next() {
			if err := c.unknown(ctx, object); err != nil {
				return c.Checked, err
			}
		}
		if err != nil {
			return c.Checked, err
		}
		if more && object.Key == row.Key {
			c.compare(row, object)
			object, err, more = next()
		} else if err := c.absent(ctx, row); err != nil {
			return c.Checked, err
		}
	}
	for ; more && err == nil; object, err, more = next() {
		if err := c.unknown(ctx, object); err != nil {
			return c.Checked, err
		}
	}
	if err == nil {
		err = c.judge(ctx)
	}
	return c.Checked, err
}

// checking is the state of a check.
type checking struct {
	Checked

	names   names.Collecting
	blobs   blobs.Store
	found   func(Problem)
	without []blobs.Object // objects that no file has
}

func (c *checking) compare(row names.Object, object blobs.Object) {
	c.Files++
	c.Bytes += row.Size
	if row.Size != object.Size {
		c.WrongSize++
		c.found(Problem{Kind: WrongSize, Key: row.Key, Name: row.Name, Want: row.Size, Have: object.Size})
	}
}

// absent is called for an object that the listing doesn't have. It may be newer than the listing.
func (c *checking) absent(ctx context.Context, row names.Object) error {
	object, err := c.blobs.Stat(ctx, row.Key)
	switch {
	case err == nil:
		c.compare(row, object)
		return nil
	case !isMissing(err):
		return err
	}
	c.Files++
	c.Missing++
	c.found(Problem{Kind: Missing, Key: row.Key, Name: row.Name, Want: row.Size})
	return nil
}

// unknown is called for an object that no file has.
func (c *checking) unknown(ctx context.Context, object blobs.Object) error {
	c.without = append(c.without, object)
	if len(c.without) < collectChunk {
		return nil
	}
	return c.judge(ctx)
}

// judge finds the orphans among the objects that no file has.
func (c *checking) judge(ctx context.Context) error {
	if len(c.without) == 0 {
		return nil
	}
	keys := make([]string, len(c.without))
	sizes := make(map[string]int64, len(c.without))
	for i, object := range c.without {
		keys[i] = object.Key
		sizes[object.Key] = object.Size
	}
	c.without = c.without[:0]
	orphans, err := c.names.Orphans(ctx, keys)
	if err != nil {
		return err
	}
	c.Orphans += int64(len(orphans))
	c.Waiting += int64(len(keys) - len(orphans))
	for _, key := range orphans {
		c.found(Problem{Kind: Orphan, Key: key, Have: sizes[key]})
	}
	return nil
}

// isMissing reports whether err says that an object doesn't exist.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

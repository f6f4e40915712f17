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
	// Flaw is a contradiction in the database, if that is the Kind.
	Flaw names.Flaw
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
	// Corrupt says that the content of an object isn't what was stored: its SHA-256 is another one.
	Corrupt ProblemKind = "corrupt"
	// Contradiction says that the tables of the database contradict each other.
	Contradiction ProblemKind = "contradiction"
)

// Checking says how [Check] checks.
type Checking struct {
	// Content makes it read all objects and compare their SHA-256.
	Content bool
	// Found is called with each problem. It may be nil.
	Found func(Problem)
	// Progress, if not nil, is called with what was checked so far, often.
	Progress func(Checked)
}

// Checked counts what [Check] has compared.
type Checked struct {
	// Files are objects that files refer to, and Bytes their size.
	Files, Bytes int64
	// Waiting are objects without a file that may get one, or that stay for a while after their
	// last file was removed.
	Waiting int64
	// Read is how many bytes of objects were read. Unknown are objects that were read and whose
	// checksum the database doesn't have.
	Read, Unknown int64
	// Missing, WrongSize, Corrupt, Contradictions and Orphans count the problems.
	Missing, WrongSize, Corrupt, Contradictions, Orphans int64
}

// Lost is how many objects of files are missing or not what was stored.
func (c Checked) Lost() int64 { return c.Missing + c.WrongSize + c.Corrupt }

// Damaged reports whether content is lost, or the database contradicts itself.
func (c Checked) Damaged() bool { return c.Lost()+c.Contradictions > 0 }

// Check compares the tables with each other, and all rows with all objects. Files may be changed
// meanwhile. Its memory doesn't grow with their number.
func Check(ctx context.Context, rows names.Collecting, objects blobs.Store, how Checking) (Checked, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := &checking{names: rows, blobs: objects, Checking: how}
	if err := rows.Flaws(ctx, c.flaw); err != nil {
		return c.Checked, err
	}
	err := c.compareAll(ctx)
	if err != nil {
		stop() // Nothing more is read, and the errors of that mean nothing.
		_ = c.finishReading(ctx)
	} else {
		err = c.finishReading(ctx)
	}
	return c.Checked, err
}

// compareAll compares all rows with all objects. Both come in the order of the keys.
func (c *checking) compareAll(ctx context.Context) error {
	next, stop := iter.Pull2(c.blobs.List(ctx, ""))
	defer stop()
	object, err, more := next()
	for row, rowErr := range c.names.Objects(ctx) {
		if rowErr != nil {
			return rowErr
		}
		for ; more && err == nil && object.Key < row.Key; object, err, more = next() {
			if err := c.unknown(ctx, object); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		if more && object.Key == row.Key {
			err = c.compare(ctx, row, object)
			if err == nil {
				object, err, more = next()
			}
		} else {
			err = c.absent(ctx, row)
		}
		if err != nil {
			return err
		}
	}
	for ; more && err == nil; object, err, more = next() {
		if err := c.unknown(ctx, object); err != nil {
			return err
		}
	}
	if err == nil {
		err = c.judge(ctx)
	}
	return err
}

// checking is the state of a check.
type checking struct {
	Checked
	Checking

	names   names.Collecting
	blobs   blobs.Store
	without []blobs.Object // objects that no file has
	reading int            // objects whose content is being read
	results chan contentRead
}

func (c *checking) found(p Problem) {
	if c.Found != nil {
		c.Found(p)
	}
}

func (c *checking) flaw(f names.Flaw) {
	c.Contradictions++
	c.found(Problem{Kind: Contradiction, Key: f.Key, Name: f.Name, Want: f.Want, Have: f.Have, Flaw: f})
}

func (c *checking) compare(ctx context.Context, row names.Object, object blobs.Object) error {
	c.Files++
	c.Bytes += row.Size
	if c.Progress != nil {
		c.Progress(c.Checked)
	}
	if row.Size != object.Size {
		c.WrongSize++
		c.found(Problem{Kind: WrongSize, Key: row.Key, Name: row.Name, Want: row.Size, Have: object.Size})
		return nil
	}
	if c.Content {
		return c.read(ctx, row)
	}
	return nil
}

// absent is called for an object that the listing doesn't have. It may be newer than the listing.
func (c *checking) absent(ctx context.Context, row names.Object) error {
	object, err := c.blobs.Stat(ctx, row.Key)
	switch {
	case err == nil:
		return c.compare(ctx, row, object)
	case !isMissing(err):
		return err
	}
	return c.lost(ctx, row)
}

// lost is called for an object that doesn't exist. Its file may have been removed since it was listed.
func (c *checking) lost(ctx context.Context, row names.Object) error {
	known, err := c.names.Known(ctx, row.Key)
	if err != nil || !known {
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

package tree

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/davd/davd/storage"
)

// Copy makes dst a copy of src: of all that is below it with the depth
// [Infinite], of the collection alone with depth 0. What was at dst is
// replaced, not merged (RFC 4918 §9.8.4), once the copy is complete.
//
// A member that can't be copied is named in a [*PartialError], what is below
// it is not; the rest is in place. A [*LeftoverError] says that all is in
// place. With any other error dst is as it was.
func Copy(ctx context.Context, fsys storage.FS, src, dst string, depth int, mon *Monitor) error {
	if Overlap(src, dst) {
		return linkError("copy", src, dst, ErrOverlap)
	}
	c := &copier{ctx: ctx, fsys: fsys, mon: mon}
	stage, err := c.stage(src, dst, depth)
	if err != nil {
		return err
	}
	placed := place(ctx, fsys, stage, dst, mon)
	if placed != nil && !done(placed) {
		return placed
	}
	c.failures.placed = true
	if err := c.failures.err(); err != nil {
		return err
	}
	return placed
}

type copier struct {
	ctx      context.Context //nolint:containedctx // lives as long as the call of Copy
	fsys     storage.FS
	mon      *Monitor
	more     int64 // how often a member will be seen again once it is copied
	failures failures
}

// stage copies src to a reserved name beside dst, which it returns. After an
// error there is nothing under that name.
func (c *copier) stage(src, dst string, depth int) (string, error) {
	info, err := c.fsys.Stat(c.ctx, src)
	if err != nil {
		return "", err
	}
	stage := storage.Beside(dst)
	c.mon.Found(1+c.more, size(info))
	var parent *lineage
	if depth != 0 {
		parent = above(c.ctx, c.fsys, src, info)
	}
	err = c.copy(src, stage, info, depth, parent)
	if err == nil {
		// A root that failed is not a part of something that succeeded.
		err = c.failures.of(src)
	}
	if err == nil {
		// Nor is one that has vanished, its members being skipped.
		_, err = c.fsys.Stat(c.ctx, src)
	}
	if err != nil {
		return "", errors.Join(err, c.discard(stage))
	}
	return stage, nil
}

// discard removes a stage that will not be used, even after ctx has ended.
func (c *copier) discard(stage string) error {
	return discard(context.WithoutCancel(c.ctx), c.fsys, stage, nil)
}

// copy copies name, and what is below it, to target. Its error is one that
// ends the whole.
func (c *copier) copy(name, target string, info fs.FileInfo, depth int, parent *lineage) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if info.IsDir() {
		return c.collection(name, target, info, depth, parent)
	}
	c.mon.Begin(name)
	err := storage.CopyFile(c.ctx, c.fsys, name, target, info.Mode().Perm(), c.mon.Wrote)
	if err == nil {
		err = c.properties(name, target, info)
	}
	return c.done(name, err)
}

// collection copies the collection name and, unless depth is 0, its members.
func (c *copier) collection(name, target string, info fs.FileInfo, depth int, parent *lineage) error {
	c.mon.Begin(name)
	var members []member
	var err error
	if depth != 0 {
		members, err = c.members(name, target, &lineage{info: info, parent: parent})
	}
	if err == nil {
		// The server must be able to write into what it has just made.
		err = c.fsys.Mkdir(c.ctx, target, info.Mode().Perm()|0o700)
	}
	if err != nil {
		return c.done(name, err)
	}
	for _, m := range members {
		if m.err != nil {
			err = c.done(m.name, m.err)
		} else {
			err = c.copy(m.name, m.target, m.info, Infinite, m.parent)
		}
		if err != nil {
			return err
		}
	}
	return c.done(name, c.properties(name, target, info))
}

// member is an entry of a collection that is to be copied, or that can't be.
type member struct {
	name, target string
	info         fs.FileInfo
	parent       *lineage
	err          error
}

// members returns what of the collection name is to be copied.
func (c *copier) members(name, target string, here *lineage) ([]member, error) {
	var members []member
	for entry, err := range storage.ReadDir(c.ctx, c.fsys, name) {
		if err != nil {
			for range members {
				c.mon.Advance() // They are not to be copied any more.
			}
			return nil, err
		}
		from := path.Join(name, entry.Name())
		info, err := follow(c.ctx, c.fsys, from, entry)
		if info == nil && err == nil {
			continue
		}
		if err == nil && info.IsDir() && here.loops(info) {
			err = &fs.PathError{Op: "copy", Path: from, Err: ErrLoop}
		}
		c.mon.Found(1+c.more, size(info))
		members = append(members, member{name: from, target: path.Join(target, entry.Name()), info: info, parent: here, err: err})
	}
	return members, nil
}

// properties gives target what name has beside its content. A backend that
// does not keep modification times is no failure.
func (c *copier) properties(name, target string, info fs.FileInfo) error {
	if err := storage.CopyDeadProps(c.ctx, c.fsys, name, target); err != nil {
		return err
	}
	err := storage.SetTimes(c.ctx, c.fsys, target, info.ModTime())
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// done resolves name. A member of the source that has vanished since it was
// listed is skipped; an error that ends the whole is returned.
func (c *copier) done(name string, err error) error {
	if err != nil && fatal(err) {
		return err
	}
	if err != nil && !c.vanished(name, err) {
		c.failures.add(name, err)
		c.resolve(name, err)
		return nil
	}
	c.resolve(name, nil)
	return nil
}

// resolve reports that nothing more will be done about name now. One that will
// be seen again has no outcome yet, unless it has failed.
func (c *copier) resolve(name string, err error) {
	if err == nil && c.more > 0 {
		c.mon.Advance()
		return
	}
	c.mon.Resolve(name, err)
}

func (c *copier) vanished(name string, err error) bool {
	if !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	_, statErr := storage.Lstat(c.ctx, c.fsys, name)
	return errors.Is(statErr, fs.ErrNotExist)
}

// size is the content length of a file, 0 for a collection and for nil.
func size(info fs.FileInfo) int64 {
	if info == nil || info.IsDir() {
		return 0
	}
	return info.Size()
}

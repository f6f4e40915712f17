package client

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// tree fetches the collection path, and what is in it, to the directory name in
// root. What fails is named, and the others go on.
func (d *download) tree(ctx context.Context, path, name string, level int) error {
	if level > maxDepth {
		return &memberError{"it is too deep"}
	}
	if err := d.directory(name, level); err != nil {
		return err
	}
	_, members, failed, err := d.session.members(d.session.watched(ctx), path)
	d.failed += failed
	if err != nil {
		return err
	}
	for _, member := range members {
		ref, ok := childRef(path, member.Href)
		own, usable := lastName(ref)
		if !ok || !usable {
			_ = d.skip(ref, &memberError{"it has no name that can be used here"})
			continue
		}
		target := filepath.Join(name, own)
		if member.Collection {
			err = d.tree(ctx, asCollection(ref), target, level+1)
		} else {
			err = d.file(ctx, ref, target)
		}
		if err := d.skip(ref, err); err != nil {
			return err
		}
	}
	return nil
}

// directory makes the directory name, or takes one that is there: the first only
// with Force. A symbolic link to one is none.
func (d *download) directory(name string, level int) error {
	err := d.root.Mkdir(name, 0o777)
	if !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := d.root.Lstat(name)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return &memberError{name + " exists, and is no directory"}
	case level == 1 && !d.options.Force:
		return &memberError{name + " exists: -f adds to it, and replaces what has the same name"}
	}
	return nil
}

// skip names the member that err is about, and returns nil; or err, if it would
// be the same for all others.
func (d *download) skip(ref string, err error) error {
	if err == nil || fatal(err) {
		return err
	}
	d.failed++
	d.session.skipped(shownPath(ref), err)
	return nil
}

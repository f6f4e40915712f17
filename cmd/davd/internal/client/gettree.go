package client

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// tree gets the collection path, with everything in it, and writes it to the directory name
// in root. It writes members that fail to Session.Err, and continues.
func (d *download) tree(ctx context.Context, path, name string, level int) error {
	if level > maxDepth {
		return &memberError{"it is nested too deeply"}
	}
	if err := d.directory(name, level); err != nil {
		return err
	}
	_, members, err := d.members(d.watched(ctx), path)
	if err != nil {
		return err
	}
	for _, member := range members {
		ref, ok := childRef(path, member.Href)
		own, usable := lastName(ref)
		if !ok || !usable {
			_ = d.skip(ref, &memberError{"its name can't be used on this machine"})
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

// directory creates the directory name, or accepts an existing one. At level 1 it only does
// the latter with Force. A symbolic link to a directory is not accepted.
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
		return &memberError{name + " exists and is not a directory"}
	case level == 1 && !d.Force:
		return &memberError{name + " exists: use -f to add to it and replace files of the same name"}
	}
	return nil
}

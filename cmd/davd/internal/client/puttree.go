package client

import (
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"os"
)

// directory sends the directory src, with everything in it, to the collection at the escaped
// path. It writes members that fail to Session.Err, and continues. It does not follow
// symbolic links in src.
func (u *upload) directory(ctx context.Context, src, collection string) error {
	root, err := os.OpenRoot(src)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		target := collection
		if name != "." {
			target += (&url.URL{Path: name}).EscapedPath()
		}
		if err == nil {
			err = u.member(ctx, root, name, entry, target)
		}
		if err == nil || name == "." {
			return err
		}
		err = u.skip(target, err)
		if err == nil && entry.IsDir() {
			return fs.SkipDir
		}
		return err
	})
}

// member sends one member to target.
func (u *upload) member(ctx context.Context, root *os.Root, name string, entry fs.DirEntry, target string) error {
	switch {
	case entry.IsDir():
		return u.collection(ctx, asCollection(target), name == ".")
	case entry.Type()&fs.ModeSymlink != 0:
		return &memberError{"it is a symbolic link, which is not followed"}
	case !entry.Type().IsRegular():
		return &memberError{"it is not a regular file"}
	}
	file, err := root.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return u.file(ctx, file, target)
}

// collection creates a collection, or accepts an existing one. For the first one, it only
// does the latter with Force.
func (u *upload) collection(ctx context.Context, target string, first bool) error {
	err := u.Client.Mkcol(ctx, target)
	if status(err) != http.StatusMethodNotAllowed {
		return err
	}
	if first && !u.Force {
		return &memberError{shownPath(target) + " exists: use -f to add to it and replace files of the same name"}
	}
	found, statErr := u.Client.Stat(ctx, target)
	if statErr != nil {
		return statErr
	}
	if !found.Collection {
		return &memberError{"a file with this name exists"}
	}
	return nil
}

package local

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/davd/davd/storage"
)

// Canonical resolves the symbolic links in name that the policy follows, and folds the
// segments that the filesystems on the way fold. On Linux it needs only one system call
// if name contains no link and its filesystem doesn't fold.
//
// If LinksFollow leads outside the directory, the Key is below storage.OutsideKey, and the
// Name is name.
func (f *FS) Canonical(ctx context.Context, name string, follow bool) (storage.Canon, error) {
	if err := ctx.Err(); err != nil {
		return storage.Canon{}, err
	}
	name = storage.Clean(name)
	local, ok := localName(name)
	if !ok || f.direct(local, follow) {
		return storage.Canon{Name: name, Key: name}, nil
	}
	c := &canonical{fsys: f}
	canon := storage.Resolver{Readlink: c.readlink, Follow: c.follow, Spell: c.spell, Folds: c.folds}.Canonical(c.start()+name, follow)
	if c.err != nil {
		return storage.Canon{}, f.failed("canonical", name, c.err, writing)
	}
	return c.inShare(name, canon), nil
}

// canonical is the state of one call of Canonical. With LinksFollow the Resolver works on
// paths of the system, because a link may leave the directory and come back. Otherwise it
// works on names.
type canonical struct {
	fsys      *FS
	following bool
	base      string          // the directory's own path; only if following
	fold      map[string]bool // whether a collection folds
	err       error
}

// start returns the prefix of the names that the Resolver works on.
func (c *canonical) start() string {
	following, ok := c.fsys.root.(*following)
	if !ok {
		return ""
	}
	c.following = true
	base, err := filepath.EvalSymlinks(following.dir)
	if err != nil {
		c.err = err
		return ""
	}
	c.base = strings.TrimSuffix(filepath.ToSlash(base), "/")
	if c.base != "" && c.base[0] != '/' {
		c.base = "/" + c.base // a Windows drive
	}
	return c.base
}

// path converts name to the form that the policy's access expects.
func (c *canonical) path(name string) string {
	switch {
	case c.following && filepath.Separator == '/':
		return name
	case !c.following && name == "/":
		return rootName
	}
	return filepath.FromSlash(strings.TrimPrefix(name, "/"))
}

func (c *canonical) readlink(name string) (string, error) {
	if len(name) < len(c.base) || name == c.base {
		if c.base == "" || strings.HasPrefix(c.base+"/", name+"/") {
			return "", nil // start has resolved this part.
		}
	}
	local := c.path(name)
	info, err := c.fsys.root.Lstat(local)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return "", err
	}
	text, err := c.fsys.root.Readlink(local)
	return filepath.ToSlash(text), err
}

// follow decides according to the policy.
func (c *canonical) follow(name, text string) (to string, ok bool) {
	switch c.fsys.links {
	case LinksDeny:
		return "", false
	case LinksFollow:
		if absolute(text) && text[0] != '/' {
			text = "/" + text
		}
		return text, true
	}
	return text, !absolute(text) && !storage.Climbs(strings.Count(name, "/")-1, text)
}

// spell folds segment if the collection dir folds names.
func (c *canonical) spell(dir, segment string) string {
	if c.base != "" && len(dir) < len(c.base) && strings.HasPrefix(c.base, dir) {
		return segment // Above the directory, clients can't choose names.
	}
	if short(segment) {
		segment = c.long(dir, segment)
	}
	if c.folds(dir) {
		segment = storage.Fold(segment)
	}
	return segment
}

// folds reports whether the collection dir folds names. It asks the filesystem once.
func (c *canonical) folds(dir string) bool {
	folds, known := c.fold[dir]
	if !known {
		folds = c.fsys.folds(c.path(dir))
		if c.fold == nil {
			c.fold = make(map[string]bool)
		}
		c.fold[dir] = folds
	}
	return folds
}

// short reports whether segment may be a short name (8.3), which NTFS and vfat give to
// files with long names.
func short(segment string) bool {
	i := strings.IndexByte(segment, '~')
	return i > 0 && len(segment) <= len("12345678.123") && i+1 < len(segment) && '0' <= segment[i+1] && segment[i+1] <= '9'
}

// long returns the long name of segment in dir if segment is a short name.
func (c *canonical) long(dir, segment string) string {
	local := filepath.Join(c.path(dir), segment)
	info, err := c.fsys.root.Lstat(local)
	if err != nil {
		return segment
	}
	entries, err := c.fsys.readNames(c.path(dir))
	if err != nil {
		c.err = err
		return segment
	}
	folded := storage.Fold(segment)
	for _, entry := range entries {
		if storage.Fold(entry) == folded {
			return segment // This is its long name.
		}
	}
	for _, entry := range entries {
		other, err := c.fsys.root.Lstat(filepath.Join(c.path(dir), entry))
		if err == nil && storage.SameFile(info, other) {
			return entry
		}
	}
	c.err = fs.ErrPermission // The name exists, but its long name can't be found.
	return segment
}

// readNames returns the names of the members of the collection local.
func (f *FS) readNames(local string) ([]string, error) {
	dir, err := f.root.OpenFile(local, openDirectory, 0)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

// inShare removes the directory's own path from canon. name is the name that was resolved.
func (c *canonical) inShare(name string, canon storage.Canon) storage.Canon {
	if !c.following {
		return canon
	}
	short := func(path string) string {
		rest, inside := strings.CutPrefix(path, c.base)
		switch {
		case inside && rest == "":
			return "/"
		case inside && rest[0] == '/':
			return rest
		}
		return storage.OutsideKey + path
	}
	for i := range canon.Links {
		canon.Links[i] = short(canon.Links[i])
	}
	canon.Key = short(canon.Key)
	if rest := short(canon.Name); !strings.HasPrefix(rest, storage.OutsideKey+"/") {
		canon.Name = rest
	} else {
		canon.Name = name
	}
	return canon
}

// hidden reports whether name is another name for something reserved, because a symbolic
// link leads there or a filesystem has a short name for it. Such a name is treated as
// missing. linked says whether a link is on the way.
func (f *FS) hidden(ctx context.Context, name string, linked bool) bool {
	if !linked && !strings.Contains(name, "~") || storage.Reserved(name) {
		return false // The caller that uses a reserved name directly is davd itself.
	}
	canon, err := f.Canonical(ctx, name, true)
	return err == nil && (storage.Reserved(canon.Name) || reservedKey(canon.Key))
}

// reservedKey reports whether key belongs to something reserved in the share.
func reservedKey(key string) bool {
	return !strings.HasPrefix(key, storage.OutsideKey+"/") && storage.Reserved(key)
}

var errHidden = fmt.Errorf("%w: the name leads to a path that is reserved for the server", fs.ErrNotExist)

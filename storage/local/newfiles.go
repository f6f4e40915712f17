package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// owned says what new files and collections get.
type owned struct {
	umask    *fs.FileMode
	uid, gid *int
}

// ownership returns what the options say, or nil if they say nothing.
func (o Options) ownership() (*owned, error) {
	if o.Umask == nil && o.UID == nil && o.GID == nil {
		return nil, nil
	}
	if !canOwn {
		return nil, fmt.Errorf("umask, uid and gid: %w on this system", errors.ErrUnsupported)
	}
	user := os.Geteuid()
	if o.UID != nil && user != 0 && *o.UID != user {
		return nil, fmt.Errorf("uid %d: only root can give files to another user, and davd runs as %d", *o.UID, user)
	}
	if o.GID != nil && user != 0 && *o.GID != os.Getegid() {
		groups, err := os.Getgroups()
		if err != nil {
			return nil, err
		}
		if !slices.Contains(groups, *o.GID) {
			return nil, fmt.Errorf("gid %d: the user who runs davd is not a member of this group", *o.GID)
		}
	}
	return &owned{o.Umask, o.UID, o.GID}, nil
}

// perm returns the permission bits of a new file that perm was asked for. A nil owned
// leaves the rest to the umask of the process.
func (o *owned) perm(perm fs.FileMode) fs.FileMode {
	if o == nil || o.umask == nil {
		return perm
	}
	return perm &^ *o.umask
}

// openNew opens the file local with O_CREATE. If that creates it, it gets its owner and
// permissions before anyone writes to it.
func (f *FS) openNew(local string, flag int, perm fs.FileMode) (*os.File, error) {
	file, err := f.root.OpenFile(local, flag|os.O_EXCL|nonblock, f.ask(local, perm))
	switch {
	case err == nil:
		if err := f.own(file, local, perm); err != nil {
			return nil, errors.Join(err, file.Close(), f.root.Remove(local))
		}
		return file, nil
	case flag&os.O_EXCL != 0 || !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	// It exists, perhaps as a symbolic link that dangles. The target of that gets the
	// permissions of the process.
	return f.root.OpenFile(local, flag|nonblock, perm)
}

// mkdir creates the collection local.
func (f *FS) mkdir(local string, perm fs.FileMode) error {
	if f.owned == nil {
		return f.makeDir(local, perm)
	}
	// davd itself must be able to open it.
	if err := f.makeDir(local, f.ask(local, perm)|0o700); err != nil {
		return err
	}
	dir, err := f.root.OpenFile(local, os.O_RDONLY, 0)
	if err == nil {
		err = errors.Join(f.own(dir, local, perm), dir.Close())
	}
	if err != nil {
		err = errors.Join(err, f.root.Remove(local))
	}
	return err
}

// ask returns the permission bits with which to create local, so that it never has more than
// it will have in the end.
func (f *FS) ask(local string, perm fs.FileMode) fs.FileMode {
	if f.hasDefaultACL(parent(local)) {
		return perm
	}
	return f.owned.perm(perm)
}

// own gives the new file or collection local its owner, group and permissions.
func (f *FS) own(file *os.File, local string, perm fs.FileMode) error {
	return f.owned.give(int(file.Fd()), perm, f.hasDefaultACL(parent(local)))
}

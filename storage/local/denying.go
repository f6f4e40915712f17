package local

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// denying implements LinksDeny: it is an *os.Root that only accepts names without
// symbolic links. The last segment may be a link if the call concerns the link itself. For
// any other name with a link, the error is syscall.ELOOP.
type denying struct {
	*os.Root
	// start is the directory that check starts from. It is nil if check must look at
	// each segment by itself.
	start *os.File
}

// openDenying opens the directory dir, even if links lead to it.
func openDenying(dir string) (*denying, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	start, err := openStart(root)
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return &denying{Root: root, start: start}, nil
}

// Close closes the root and start.
func (d *denying) Close() error {
	if d.start != nil {
		_ = d.start.Close() // Nothing was written, so an error doesn't matter.
	}
	return d.Root.Close()
}

// holder checks the collection that contains name.
func (d *denying) holder(name string) error {
	if name == rootName {
		return nil
	}
	return d.check(parent(name))
}

// checkEach is check with a look at each segment. It returns syscall.ELOOP for a link, or
// the error of a segment that can't be described.
func (d *denying) checkEach(name string) error {
	for i := range len(name) + 1 {
		if i < len(name) && !os.IsPathSeparator(name[i]) {
			continue
		}
		info, err := d.Root.Lstat(name[:i])
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return syscall.ELOOP
		}
	}
	return nil
}

func (d *denying) Chtimes(name string, accessed, modified time.Time) error {
	if err := d.check(name); err != nil {
		return err
	}
	return d.Root.Chtimes(name, accessed, modified)
}

func (d *denying) Lstat(name string) (fs.FileInfo, error) {
	if err := d.holder(name); err != nil {
		return nil, err
	}
	return d.Root.Lstat(name)
}

func (d *denying) Mkdir(name string, perm fs.FileMode) error {
	if err := d.holder(name); err != nil {
		return err
	}
	return d.Root.Mkdir(name, perm)
}

func (d *denying) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	err := d.check(name)
	if err != nil && (flag&os.O_CREATE == 0 || !errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	return d.Root.OpenFile(name, flag, perm)
}

func (d *denying) OpenRoot(name string) (*os.Root, error) {
	if err := d.check(name); err != nil {
		return nil, err
	}
	return d.Root.OpenRoot(name)
}

func (d *denying) Readlink(name string) (string, error) {
	if err := d.holder(name); err != nil {
		return "", err
	}
	return d.Root.Readlink(name)
}

func (d *denying) Remove(name string) error {
	if err := d.holder(name); err != nil {
		return err
	}
	return d.Root.Remove(name)
}

func (d *denying) RemoveAll(name string) error {
	if err := d.holder(name); err != nil {
		return err
	}
	return d.Root.RemoveAll(name)
}

func (d *denying) Rename(oldName, newName string) error {
	for _, name := range []string{oldName, newName} {
		if err := d.holder(name); err != nil {
			return err
		}
	}
	return d.Root.Rename(oldName, newName)
}

// Stat uses Lstat, because a link may have been created since the check.
func (d *denying) Stat(name string) (fs.FileInfo, error) {
	if err := d.check(name); err != nil {
		return nil, err
	}
	info, err := d.Root.Lstat(name)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		err = syscall.ELOOP
	}
	return info, err
}

func (d *denying) Symlink(text, name string) error {
	if err := d.holder(name); err != nil {
		return err
	}
	return d.Root.Symlink(text, name)
}

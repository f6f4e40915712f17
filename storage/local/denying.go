package local

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// denying implements LinksDeny: it is an *os.Root that only accepts names without
// symbolic links. The last segment may be a link if the call concerns the link itself. For
// any other name with a link, the error is syscall.ELOOP.
type denying struct {
	guarded
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
	d := &denying{start: start}
	d.guarded = guarded{root, d.at}
	return d, nil
}

// Close closes the root and start.
func (d *denying) Close() error {
	if d.start != nil {
		_ = d.start.Close() // Nothing was written, so an error doesn't matter.
	}
	return d.calls.Close()
}

// at returns name after a check.
func (d *denying) at(name string, link bool) (string, error) {
	switch {
	case !link:
		return name, d.check(name)
	case name == rootName:
		return name, nil
	}
	return name, d.check(parent(name))
}

// checkEach is check with a look at each segment. It returns syscall.ELOOP for a link, or
// the error of a segment that can't be described.
func (d *denying) checkEach(name string) error {
	for i := range len(name) + 1 {
		if i < len(name) && !os.IsPathSeparator(name[i]) {
			continue
		}
		info, err := d.calls.Lstat(name[:i])
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return syscall.ELOOP
		}
	}
	return nil
}

func (d *denying) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	err := d.check(name)
	if err != nil && (flag&os.O_CREATE == 0 || !errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	return d.calls.OpenFile(name, flag, perm)
}

// Stat uses Lstat, because a link may have been created since the check.
func (d *denying) Stat(name string) (fs.FileInfo, error) {
	info, err := guard(&d.guarded, name, false, d.calls.Lstat)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		err = syscall.ELOOP
	}
	return info, err
}

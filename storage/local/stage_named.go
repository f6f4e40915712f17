package local

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/strays"
)

// named is a stage that has a reserved name in the collection of its final name.
type named struct {
	dir   *os.Root
	name  string // "" once there is no file to remove
	local string
	open  *os.File
	// closed says that open has been closed.
	closed bool
	stray  strays.Note
}

// private are the permission bits of a stage that will replace a file, until keep sets the
// old file's rights. The old bits could allow too much before: if the old file has an ACL,
// its group's bits are a mask, and the stage belongs to another group until keep.
const private fs.FileMode = 0o600

// newNamed returns a stage beside the spot. It is noted as a stray until it is placed or
// discarded. local is the name for the description of the new file.
func (f *FS) newNamed(at *spot, local string, perm fs.FileMode) (stage, error) {
	target := at.path
	if at.old != nil {
		perm = private
	}
	dir, err := f.openRoot(parent(target))
	if err != nil {
		return nil, err
	}
	s := &named{dir: dir, name: f.stage(), local: local}
	s.stray = f.note(target, s.name)
	s.open, err = dir.OpenFile(s.name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		s.stray.Forget()
		_ = dir.Close()
		return nil, err
	}
	return s, nil
}

// keptStage returns the stage with the name how.Kept, which is made if how.From is 0. It is not noted
// as a stray, because the caller has a record of it.
func (f *FS) keptStage(at *spot, local string, perm fs.FileMode, how storage.Replacing) (stage, error) {
	if err := f.mayReplace(at); err != nil {
		return nil, err
	}
	dir, err := f.openRoot(parent(at.path))
	if err != nil {
		return nil, err
	}
	s := &named{dir: dir, name: how.Kept, local: local}
	flag := os.O_RDWR
	if how.From == 0 {
		flag |= os.O_CREATE
	}
	info, err := dir.Lstat(s.name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		err = storage.ErrStageLost // not made by keptStage
	case errors.Is(err, fs.ErrNotExist) && how.From > 0:
		err = storage.ErrStageLost
	case errors.Is(err, fs.ErrNotExist), err == nil:
		s.open, err = dir.OpenFile(s.name, flag, perm)
	}
	if err == nil {
		err = s.cutOff(how.From)
	}
	if err != nil {
		return nil, errors.Join(err, s.leave())
	}
	return s, nil
}

// cutOff makes the content end at size.
func (s *named) cutOff(size int64) error {
	info, err := s.open.Stat()
	if err == nil && info.Size() < size {
		err = storage.ErrStageLost
	}
	if err == nil && info.Size() > size {
		err = s.open.Truncate(size)
	}
	if err == nil {
		_, err = s.open.Seek(size, io.SeekStart)
	}
	return err
}

// leave closes the stage and leaves the file.
func (s *named) leave() error {
	var err error
	if s.open != nil && !s.closed {
		err = s.open.Close()
	}
	_ = s.dir.Close()
	return err
}

// parent returns the path of the collection that contains local.
func parent(local string) string {
	dir, _ := splitLast(local)
	return dir
}

// file opens the file again if place has closed it and then failed.
func (s *named) file() *os.File {
	if s.closed {
		if file, err := s.dir.OpenFile(s.name, os.O_RDWR, 0); err == nil {
			s.open, s.closed = file, false
		}
	}
	return s.open
}

func (s *named) fd() int { return int(s.file().Fd()) }

// Write implements io.Writer.
func (s *named) Write(p []byte) (int, error) { return s.open.Write(p) }

// place closes the file first, because some filesystems report a full disk only then, and
// Windows can't rename an open file.
func (s *named) place(f *FS, to *spot, p storage.Placing) (fs.FileInfo, error) {
	if err := s.stays(f, to.path); err != nil {
		return nil, err
	}
	if p.Sync.Content() {
		if err := syncContent(s.file()); err != nil {
			return nil, err
		}
	}
	s.closed = true
	if err := s.open.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return nil, err
	}
	// A time that can't be set is not an error. The client sees that the answer lacks X-OC-Mtime.
	if err := setTimes(s.dir, s.name, p.Modified); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	info, err := s.dir.Lstat(s.name)
	if err != nil {
		return nil, err
	}
	_, base := splitLast(to.path)
	if to.old == nil {
		err = s.create(base)
	} else {
		err = s.dir.Rename(s.name, base)
	}
	if err != nil {
		return nil, err
	}
	s.name = ""
	if now, err := f.root.Stat(s.local); err == nil {
		info = now
	}
	return storage.Named(info, path.Base(s.local)), nil
}

// stays returns fs.ErrNotExist if the collection that contains local is no longer the one
// that contains the stage.
func (s *named) stays(f *FS, local string) error {
	is, err := f.root.Stat(parent(local))
	if err != nil {
		return err
	}
	was, err := s.dir.Stat(rootName)
	if err != nil {
		return err
	}
	if !os.SameFile(is, was) {
		return fs.ErrNotExist
	}
	return nil
}

// create renames the stage to base, but doesn't replace a file. On a filesystem without hard
// links, a file that appears between the check and the rename is replaced.
func (s *named) create(base string) error {
	err := s.dir.Link(s.name, base)
	if err == nil {
		if s.dir.Remove(s.name) != nil {
			s.stray = strays.Note{} // The reserved name still exists, so keep the note.
		}
		return nil
	}
	if errors.Is(err, fs.ErrExist) {
		return syscall.EEXIST
	}
	if _, err := s.dir.Lstat(base); !errors.Is(err, fs.ErrNotExist) {
		return syscall.EEXIST
	}
	return s.dir.Rename(s.name, base)
}

func (s *named) discard() error {
	_ = s.open.Close() // It is closed already or not needed, so an error doesn't matter.
	var err error
	if s.name != "" {
		err = s.dir.Remove(s.name)
	}
	if err == nil {
		s.stray.Forget()
	}
	_ = s.dir.Close()
	return err
}

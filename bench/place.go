package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// place is the directory with the data of a run. All of it is on one filesystem and belongs to
// the servers' user.
type place struct {
	dir   string
	share string // the directory that every server serves
	about string // describes the filesystem in the report
	owner owner
}

// owner is the user that the servers run as. Apache refuses to serve as root, so no server runs
// as root.
type owner struct {
	uid, gid int
	change   bool // this process is root, and has to change the owner of files
}

const nobody = 65534 // Debian's nobody and nogroup

func newOwner() owner {
	if os.Geteuid() == 0 {
		return owner{uid: nobody, gid: nobody, change: true}
	}
	return owner{uid: os.Geteuid(), gid: os.Getegid()}
}

// give makes the servers' user the owner of names.
func (o owner) give(names ...string) error {
	if !o.change {
		return nil
	}
	for _, name := range names {
		if err := os.Lchown(name, o.uid, o.gid); err != nil {
			return err
		}
	}
	return nil
}

// giveTree is give for dir and everything below it.
func (o owner) giveTree(dir string) error {
	if !o.change {
		return nil
	}
	return filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		return errors.Join(err, o.give(name))
	})
}

// newPlace creates a place in the directory parent.
func newPlace(parent string) (*place, error) {
	parent, err := filepath.Abs(parent)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "davd-bench-")
	if err != nil {
		return nil, err
	}
	p, err := placeAt(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	p.about = "a directory on " + filesystemOf(dir)
	return p, nil
}

// placeAt turns the existing directory dir into a place.
func placeAt(dir string) (*place, error) {
	p := &place{dir: dir, share: filepath.Join(dir, "share"), owner: newOwner()}
	if err := p.owner.give(dir); err != nil {
		return nil, err
	}
	return p, p.mkdir(p.share)
}

// mkdir creates the directory name, which belongs to the servers' user.
func (p *place) mkdir(name string) error {
	if err := os.MkdirAll(name, 0o750); err != nil {
		return err
	}
	return p.owner.give(name)
}

func (p *place) remove() error { return os.RemoveAll(p.dir) }

// in returns the path of a name in the share.
func (p *place) in(name string) string { return filepath.Join(p.share, filepath.FromSlash(name)) }

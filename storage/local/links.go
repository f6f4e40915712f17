package local

import (
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Links says which symbolic links of a directory are followed. Whatever the policy is,
// Lstat, RemoveMembers, RemoveAll, Rename and RenameWith act on a link that is the last
// segment of a name, never on its target. A link that dangles, loops or leads to a FIFO, a
// socket or a device is treated as missing.
type Links int

const (
	// LinksInside follows links that stay in the directory.
	LinksInside Links = iota
	// LinksDeny follows no link, not even in the middle of a name. For reading, a
	// link is missing (fs.ErrNotExist); writing through it fails
	// (fs.ErrPermission). If another process creates a link between the check and
	// the call, that link is treated as with LinksInside.
	LinksDeny
	// LinksFollow follows links wherever they lead, as far as the process has
	// access. Anyone who can create a link, or move one to another depth, chooses
	// what is served. Each call finds the directory by its path; no descriptor is
	// held.
	LinksFollow
)

var linksNames = [...]string{"inside", "deny", "follow"}

// String returns the name of l: inside, deny or follow.
func (l Links) String() string {
	if l < 0 || int(l) >= len(linksNames) {
		return fmt.Sprintf("Links(%d)", int(l))
	}
	return linksNames[l]
}

// access is the set of methods of *os.Root that reach files by name. Its implementations
// differ in which links they follow: *os.Root itself implements LinksInside.
type access interface {
	Close() error
	Chtimes(name string, accessed, modified time.Time) error
	Lstat(name string) (fs.FileInfo, error)
	Mkdir(name string, perm fs.FileMode) error
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
	// OpenRoot opens the collection name and follows no link in it: its members are
	// reached only by their names.
	OpenRoot(name string) (*os.Root, error)
	Readlink(name string) (string, error)
	Remove(name string) error
	RemoveAll(name string) error
	Rename(oldName, newName string) error
	Stat(name string) (fs.FileInfo, error)
	Symlink(text, name string) error
}

// accessTo opens the directory dir.
func accessTo(dir string, links Links) (access, error) {
	switch links {
	case LinksInside:
		return os.OpenRoot(dir)
	case LinksDeny:
		return openDenying(dir)
	case LinksFollow:
		return openFollowing(dir)
	}
	return nil, fmt.Errorf("unknown policy for symbolic links: %v", links)
}

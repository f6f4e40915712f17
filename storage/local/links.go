package local

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Links says which symbolic links of a directory lead anywhere. Whatever it
// says, Lstat, Remove, RemoveAll, Rename, Exchange and CopyLink act on the link
// that is the last segment of a name, never on what it leads to, and one that
// dangles, loops or leads to a FIFO, a socket or a device is as if not there.
type Links int

const (
	// LinksInside follows links while they stay in the directory.
	LinksInside Links = iota
	// LinksDeny takes every link, wherever it leads, for missing
	// (fs.ErrNotExist), also in the middle of a name; none is written through
	// (fs.ErrPermission). One that somebody plants between the look and the call
	// is one of LinksInside.
	LinksDeny
	// LinksFollow follows links wherever they lead, as far as the process may
	// go: whoever can make a link, or move one to another depth, chooses what is
	// served. The directory is found by its path at each call, not held.
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

// ParseLinks is the inverse of [Links.String].
func ParseLinks(s string) (Links, error) {
	for links, name := range linksNames {
		if s == name {
			return Links(links), nil
		}
	}
	return 0, fmt.Errorf("%q is none of %s", s, strings.Join(linksNames[:], ", "))
}

// access is the calls of an *os.Root by which names are reached. Which links
// they follow is the policy: *os.Root itself is LinksInside.
type access interface {
	Close() error
	Chtimes(name string, accessed, modified time.Time) error
	Lstat(name string) (fs.FileInfo, error)
	Mkdir(name string, perm fs.FileMode) error
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
	// OpenRoot opens the collection name, in which nothing is followed: its
	// members are reached by their names alone.
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
	return nil, fmt.Errorf("no policy of symbolic links: %v", links)
}

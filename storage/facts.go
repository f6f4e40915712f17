package storage

import (
	"io/fs"
	"os"
	"time"
)

// Facts is what the Sys method of an fs.FileInfo may return: what a backend has
// found out together with the rest, and an fs.FileInfo has no method for. Of a
// *syscall.Stat_t this package knows as much, but for the birth time.
type Facts interface {
	// Identity returns two numbers that no other file has at the same time,
	// whatever its name: of the filesystem, and on it of the file, which is not 0.
	Identity() (device, inode uint64)
	// Changed returns the time of the last change, which nobody can set, in
	// nanoseconds since 1970.
	Changed() int64
	// BirthTime returns when the file was made; the zero time if nobody has kept
	// that.
	BirthTime() time.Time
}

// identity is what of Facts most systems tell with every description.
type identity struct {
	device, inode uint64
	changed       int64 // nanoseconds since 1970
}

func identify(info fs.FileInfo) (id identity, ok bool) {
	sys := info.Sys()
	if facts, ok := sys.(Facts); ok {
		id.device, id.inode = facts.Identity()
		id.changed = facts.Changed()
		return id, true
	}
	return identityOf(sys)
}

// SameFile is os.SameFile for what any backend has described.
func SameFile(a, b fs.FileInfo) bool {
	if os.SameFile(a, b) {
		return true
	}
	idA, okA := identify(a)
	idB, okB := identify(b)
	return okA && okB && idA.inode != 0 && idA.inode == idB.inode && idA.device == idB.device
}

// Inode returns the number that tells the file that info describes from all that
// are there at the same time on its filesystem, whatever their names; false where
// nothing does.
func Inode(info fs.FileInfo) (uint64, bool) {
	id, ok := identify(info)
	return id.inode, ok && id.inode != 0
}

package storage

import (
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// Facts is an optional interface of the value that Sys of an fs.FileInfo returns. It
// contains what a backend knows about a resource and fs.FileInfo has no method for. This
// package finds the same in the values of package os, as far as the system supplies it.
type Facts interface {
	// Identity returns the number of the filesystem and the number of the file in
	// it, which is not 0. No other file has the same two numbers at the same time,
	// whatever its name.
	Identity() (device, inode uint64)
	// Changed returns the time of the last change (ctime), which no program can set, in
	// nanoseconds since 1970.
	Changed() int64
	// BirthTime returns when the file was created, or the zero time if that was not
	// recorded.
	BirthTime() time.Time
}

// identity is what package os supplies of Facts. Times are in nanoseconds since 1970, and
// born is 0 where the system doesn't include it.
type identity struct {
	device, inode uint64
	changed, born int64
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

// SameFile is os.SameFile for descriptions from any backend.
func SameFile(a, b fs.FileInfo) bool {
	if os.SameFile(a, b) {
		return true
	}
	idA, okA := identify(a)
	idB, okB := identify(b)
	return okA && okB && idA.inode != 0 && idA.inode == idB.inode && idA.device == idB.device
}

// Born returns when the resource that info describes was created (RFC 4918 §15.1), or the
// zero time if that is unknown.
func Born(info fs.FileInfo) time.Time {
	sys := info.Sys()
	if facts, ok := sys.(Facts); ok {
		return facts.BirthTime()
	}
	// Filesystems without birth times report 0 or -1.
	if id, _ := identityOf(sys); id.born > 0 {
		return time.Unix(0, id.born)
	}
	return time.Time{}
}

// LastingInode returns the number that distinguishes the file that info describes from all
// other files that exist at the same time on its filesystem, whatever their names, and that
// stays the same as long as the file exists, also across restarts. It returns false if the
// backend has no such number. It also returns false for a filesystem in user space (FUSE),
// because that may give a file a new number whenever the kernel has forgotten the old one.
func LastingInode(info fs.FileInfo) (uint64, bool) {
	id, ok := identify(info)
	if !ok || id.inode == 0 || inUserSpace(kindOf(id.device)) {
		return 0, false
	}
	return id.inode, true
}

// LastingIdentity returns a short text that identifies the directory that info describes, also after a
// restart and on another mount point. It consists of the [LastingInode], which the top directories of
// many filesystems have in common, and of [Born]. It returns "" where there is no lasting inode, and
// for an overlay filesystem, where a directory is born again when its first member is created.
func LastingIdentity(info fs.FileInfo) string {
	id, ok := identify(info)
	if !ok || id.inode == 0 {
		return ""
	}
	if kind := kindOf(id.device); kind == "overlay" || inUserSpace(kind) {
		return ""
	}
	text := strconv.FormatUint(id.inode, 10)
	if born := Born(info); !born.IsZero() {
		text += "-" + strconv.FormatInt(born.UnixNano(), 16)
	}
	return text
}

// inUserSpace reports whether filesystems of this kind are in user space.
func inUserSpace(kind string) bool {
	return kind == "fuseblk" || kind == "fuse" || strings.HasPrefix(kind, "fuse.")
}

// Named returns info with another name. Use it for a file that was renamed after it was
// described, or for the target of a symbolic link of that name.
func Named(info fs.FileInfo, name string) fs.FileInfo { return named{info, name} }

type named struct {
	fs.FileInfo
	name string
}

// Name implements fs.FileInfo.
func (n named) Name() string { return n.name }

package storage

import "io/fs"

// LastingInode returns the number that distinguishes the file that info describes from all
// other files that exist at the same time on its filesystem, whatever their names, and that
// stays the same as long as the file exists, also across restarts. It returns false if the
// backend has no such number. It also returns false for a filesystem in user space (FUSE),
// because that may give a file a new number whenever the kernel has forgotten the old one.
func LastingInode(info fs.FileInfo) (uint64, bool) {
	id, ok := identify(info)
	if !ok || id.inode == 0 || inUserSpace(id.device) {
		return 0, false
	}
	return id.inode, true
}

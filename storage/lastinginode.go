package storage

import "io/fs"

// LastingInode is Inode where the number stays with a file as long as the file exists,
// also across restarts. A filesystem in user space (FUSE) may give a file another
// number whenever the kernel has forgotten the old one: there it returns false.
func LastingInode(info fs.FileInfo) (uint64, bool) {
	id, ok := identify(info)
	if !ok || id.inode == 0 || inUserSpace(id.device) {
		return 0, false
	}
	return id.inode, true
}

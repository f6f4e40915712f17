package local

import "io/fs"

// canOwn says that files have an owner, a group and permission bits.
const canOwn = false

func (*owned) give(int, fs.FileMode, bool) error { return nil }

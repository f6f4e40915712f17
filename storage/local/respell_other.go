//go:build !linux

package local

import "io/fs"

// respell is not needed here: an os.Root accepts another spelling of the same name.
func (f *FS) respell(string, string) error { return fs.ErrExist }

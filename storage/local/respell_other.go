//go:build !linux

package local

import "io/fs"

// respell is not needed where an os.Root knows the other spelling of a name.
func (f *FS) respell(string, string) error { return fs.ErrExist }

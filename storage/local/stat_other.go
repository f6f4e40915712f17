//go:build !linux

package local

import "io/fs"

// statAtOnce returns nil, because here only the policy's access can describe files.
func (f *FS) statAtOnce(string) (fs.FileInfo, error) { return nil, nil }

// statByAccess is Stat of the access.
func (f *FS) statByAccess(local string) (fs.FileInfo, error) { return f.root.Stat(local) }

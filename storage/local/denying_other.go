//go:build !linux

package local

import "os"

// openStart opens nothing, because only Linux has openat2.
func openStart(*os.Root) (*os.File, error) { return nil, nil }

// check returns syscall.ELOOP if a segment of name is a symbolic link, or another error if
// the last segment can't be reached.
func (d *denying) check(name string) error { return d.checkEach(name) }

//go:build !linux

package local

import "errors"

func (f *FS) renameLocal(string, *FS, string, bool) error { return errors.ErrUnsupported }

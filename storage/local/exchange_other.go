//go:build !linux

package local

import "errors"

func (f *FS) exchangeLocal(string, string) error { return errors.ErrUnsupported }

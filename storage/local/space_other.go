//go:build !linux && !darwin && !freebsd && !windows

package local

import (
	"errors"
	"os"
)

// space returns errors.ErrUnsupported, because this system has no call for it.
func space(*os.File) (used, available int64, err error) { return 0, 0, errors.ErrUnsupported }

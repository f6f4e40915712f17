//go:build !linux && !darwin && !freebsd && !windows

package local

import (
	"errors"
	"os"
)

// space can't be asked for on this system.
func space(*os.File) (used, available int64, err error) { return 0, 0, errors.ErrUnsupported }

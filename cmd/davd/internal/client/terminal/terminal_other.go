//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd && !windows

package terminal

import "errors"

func width(uintptr) int { return 0 }

func hide(uintptr) (show func(), err error) { return nil, errors.ErrUnsupported }

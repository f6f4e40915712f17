//go:build !linux

package local

import (
	"errors"
	"time"
)

func setFarTime(access, string, time.Time) error { return errors.ErrUnsupported }

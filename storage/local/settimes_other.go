//go:build !linux

package local

import (
	"errors"
	"io/fs"
	"time"
)

func setFarTime(_ timed, name string, _ time.Time) error {
	return &fs.PathError{Op: "settimes", Path: name, Err: errors.ErrUnsupported}
}

//go:build !windows

package dirblobs

import (
	"errors"
	"os"
	"syscall"
)

// syncDirectory makes the names in a directory durable.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // Some filesystems can't do it, and need not.
	}
	return errors.Join(err, d.Close())
}

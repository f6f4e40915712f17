//go:build unix && !linux

package shares

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// errNotMounted is the reason why a directory with mounted: true is not used.
var errNotMounted = errors.New("no disk is mounted there: mount it, or remove mounted: true")

// checkMounted returns an error if dir is on the same filesystem as the root of the system.
func checkMounted(dir string) error {
	var at, root unix.Stat_t
	err := unix.Stat(dir, &at)
	if err == nil {
		err = unix.Stat("/", &root)
	}
	if err == nil && at.Dev == root.Dev {
		err = errNotMounted
	}
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

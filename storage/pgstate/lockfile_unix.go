//go:build unix

package pgstate

import (
	"os"
	"syscall"
)

// lockAlone locks the file until it is closed, or the process ends.
func lockAlone(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

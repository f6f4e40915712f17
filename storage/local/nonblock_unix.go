//go:build unix

package local

import "syscall"

// nonblock keeps an open from waiting for the other end of a FIFO or for a device. It has
// no effect on files.
const nonblock = syscall.O_NONBLOCK

//go:build !unix && !windows

package storage

import "syscall"

var noSpaceErrnos = []syscall.Errno{syscall.ENOSPC}

var tooLargeErrnos = []syscall.Errno{syscall.EFBIG}

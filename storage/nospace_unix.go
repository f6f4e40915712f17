//go:build unix

package storage

import "syscall"

var noSpaceErrnos = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT}

var tooLargeErrnos = []syscall.Errno{syscall.EFBIG}

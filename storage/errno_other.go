//go:build !windows

package storage

import "syscall"

var noSpaceErrnos = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT}

var outOfFilesErrnos = []syscall.Errno{syscall.EMFILE, syscall.ENFILE}

var tooLargeErrnos = []syscall.Errno{syscall.EFBIG}

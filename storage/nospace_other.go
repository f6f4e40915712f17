//go:build !unix && !windows

package storage

import "syscall"

var noSpaceErrnos = []syscall.Errno{syscall.ENOSPC}

var outOfFilesErrnos = []syscall.Errno{syscall.EMFILE, syscall.ENFILE}

var tooLargeErrnos = []syscall.Errno{syscall.EFBIG}

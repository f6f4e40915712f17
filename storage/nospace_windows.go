package storage

import "syscall"

// Windows' own codes beside those that package syscall invents for it.
const (
	errorTooManyFiles   = syscall.Errno(4)
	errorHandleDiskFull = syscall.Errno(39)
	errorDiskFull       = syscall.Errno(112)
	errorFileTooLarge   = syscall.Errno(223)
)

var noSpaceErrnos = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, errorHandleDiskFull, errorDiskFull}

var outOfFilesErrnos = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, errorTooManyFiles}

var tooLargeErrnos = []syscall.Errno{syscall.EFBIG, errorFileTooLarge}

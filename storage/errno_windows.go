package storage

import "syscall"

// These are Windows' own error codes, in addition to those that package syscall invents.
const (
	errorTooManyFiles   = syscall.Errno(4)
	errorHandleDiskFull = syscall.Errno(39)
	errorDiskFull       = syscall.Errno(112)
	errorFileTooLarge   = syscall.Errno(223)
)

var noSpaceErrnos = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, errorHandleDiskFull, errorDiskFull}

var outOfFilesErrnos = []syscall.Errno{syscall.EMFILE, syscall.ENFILE, errorTooManyFiles}

var tooLargeErrnos = []syscall.Errno{syscall.EFBIG, errorFileTooLarge}

package s3blobs

import "syscall"

// errQuota is not EDQUOT, which package storage doesn't know on Windows.
const errQuota = syscall.ENOSPC

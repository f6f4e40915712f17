//go:build !windows

package s3blobs

import "syscall"

const errQuota = syscall.EDQUOT

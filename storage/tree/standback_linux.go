package tree

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// niceness is by how much what a long operation does stands back behind
// everything else that wants a processor (setpriority(2)).
const niceness = 10

// standBack makes this goroutine, to its end, one that the kernel runs after
// those that answer requests. An unprivileged thread can't have its priority
// back, so it is locked to the goroutine and ends with it.
func standBack() {
	runtime.LockOSThread()
	tid := unix.Gettid()
	if raw, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil {
		now := 20 - raw // what the system call returns is never negative
		_ = unix.Setpriority(unix.PRIO_PROCESS, tid, now+niceness)
	}
}

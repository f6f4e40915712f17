package tree

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// niceness is added to the nice value of a long operation's threads, so that everything
// else goes first (setpriority(2)).
const niceness = 10

// standBack lowers the priority of this goroutine for the rest of its life, so that the
// kernel prefers goroutines that answer requests. An unprivileged thread can't raise
// its priority again. So the goroutine is locked to its thread, and the thread ends
// with it.
func standBack() {
	runtime.LockOSThread()
	tid := unix.Gettid()
	if raw, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil {
		now := 20 - raw // The system call returns 20-nice, which is never negative.
		_ = unix.Setpriority(unix.PRIO_PROCESS, tid, now+niceness)
	}
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sandboxed are the system calls that sandbox supports.
var sandboxed = map[string]uint32{"linkat": unix.SYS_LINKAT, "renameat": unix.SYS_RENAMEAT}

// sandbox runs a program and lets a system call of it fail, as on a system without hard links and
// unnamed files, or kills the program: sandbox fail:CALL|kill:CALL PROGRAM [ARG...]
func sandbox() {
	if err := runSandbox(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runSandbox(args []string) error {
	does := map[string]uint32{"fail": unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM), "kill": unix.SECCOMP_RET_KILL_PROCESS}
	action, call, _ := strings.Cut(args[0], ":")
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: sandboxed[call], Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: does[action]},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	path, err := exec.LookPath(args[1])
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	// A filter survives exec(2).
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return unix.Exec(path, args[1:], os.Environ())
}

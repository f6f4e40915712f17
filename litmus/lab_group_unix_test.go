//go:build unix

package litmus

import (
	"os/exec"
	"syscall"
)

// ownGroup makes a program run in a new process group when it is started.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup ends a program and its children. With force, it kills them.
func endGroup(cmd *exec.Cmd, force bool) {
	signal := syscall.SIGTERM
	if force {
		signal = syscall.SIGKILL
	}
	_ = syscall.Kill(-cmd.Process.Pid, signal) // an error means that all have ended
}

package main

import (
	"os"
	"syscall"
)

// attributes returns the attributes of a server's process: its own group, its user, and a signal
// when this process ends.
func attributes(o owner) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if o.change {
		a.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)} //nolint:gosec // nobody
	}
	return a
}

func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// killGroup kills the remaining processes of a server's group.
func killGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }

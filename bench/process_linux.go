package main

import (
	"os"
	"syscall"
)

// attributes are those of a server: its own group, the user, and an end with
// this process.
func attributes(o owner) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if o.change {
		a.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)} //nolint:gosec // nobody
	}
	return a
}

func terminate(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// killGroup kills what is left of a server's process group.
func killGroup(leader int) { _ = syscall.Kill(-leader, syscall.SIGKILL) }

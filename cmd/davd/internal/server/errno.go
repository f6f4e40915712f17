//go:build !windows

package server

import "syscall"

const (
	errAddrInUse    = syscall.EADDRINUSE
	errAddrNotAvail = syscall.EADDRNOTAVAIL
	errConnRefused  = syscall.ECONNREFUSED
)

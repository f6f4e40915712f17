package server

import "syscall"

// What Winsock returns. Package syscall's constants of the same meaning are
// inventions that no call returns.
const (
	errAddrInUse    = syscall.Errno(10048)
	errAddrNotAvail = syscall.Errno(10049)
	errConnRefused  = syscall.Errno(10061)
)

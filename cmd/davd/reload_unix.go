//go:build unix

package main

import (
	"os"
	"syscall"
)

// reloadSignals are the signals that make davd read its configuration again.
var reloadSignals = []os.Signal{syscall.SIGHUP}

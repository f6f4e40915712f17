//go:build !unix

package main

import "os"

// reloadSignals are the signals that make davd read its configuration again.
var reloadSignals []os.Signal

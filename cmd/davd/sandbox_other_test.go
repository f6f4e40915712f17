//go:build !linux

package main

import "os"

// sandbox only works on Linux.
func sandbox() { os.Exit(1) }

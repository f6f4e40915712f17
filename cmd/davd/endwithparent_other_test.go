//go:build !linux

package main

// endWithParent does nothing: only Linux can end a process with its parent.
func endWithParent() {}

//go:build !linux

package tree

// standBack does nothing where a thread has no priority of its own.
func standBack() {}

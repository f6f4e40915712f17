//go:build !linux

package tree

// standBack does nothing on systems where threads have no priority of their own.
func standBack() {}

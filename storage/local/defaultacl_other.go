//go:build !linux

package local

// hasDefaultACL returns false, because davd knows ACLs only on Linux.
func (*FS) hasDefaultACL(string) bool { return false }

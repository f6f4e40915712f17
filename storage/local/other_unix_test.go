//go:build unix && !linux

package local_test

// beOther returns false: on this system the test program has no other role.
func beOther() bool { return false }

//go:build !linux

package local_test

import "testing"

// eachWay runs test on a share for each way to name a file. This system has only one.
func eachWay(t *testing.T, test func(t *testing.T, s share)) {
	t.Helper()
	test(t, newShare(t))
}

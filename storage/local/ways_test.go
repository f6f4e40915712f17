//go:build !linux

package local_test

import "testing"

// eachWay runs test on a share of each way in which a file gets its name.
func eachWay(t *testing.T, test func(t *testing.T, s share)) {
	t.Helper()
	test(t, newShare(t))
}

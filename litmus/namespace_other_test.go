//go:build !linux

package litmus

import "testing"

// runApart only works on Linux.
func runApart(*testing.M) (code int, ok bool) { return 0, false }

func (c client) ownTmp() client { return c }

//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd && !solaris && !windows

package storage

// identityOf reports false: here this is unknown.
func identityOf(any) (identity, bool) { return identity{}, false }

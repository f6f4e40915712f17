//go:build !linux

package local

// reserve does nothing on this system.
func reserve(int, int64, int64) error { return nil }

// mayFit returns nil, because this system offers no way to tell.
func mayFit(int, int64, int64) error { return nil }

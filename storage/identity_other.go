//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd && !solaris

package storage

// identityOf always reports false: on Windows, a fs.FileInfo contains neither the time of
// the last change nor the number of the file.
func identityOf(any) (identity, bool) { return identity{}, false }

//go:build !linux

package control

// address returns path. A path that is too long for a socket is an error later.
func address(path string) (at string, release func(), err error) {
	return path, func() {}, nil
}

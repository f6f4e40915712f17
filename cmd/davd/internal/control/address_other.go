//go:build !linux

package control

// address returns path: where it is too long for a socket, that is an error.
func address(path string) (at string, release func(), err error) {
	return path, func() {}, nil
}

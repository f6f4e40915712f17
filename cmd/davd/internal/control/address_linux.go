package control

import (
	"os"
	"path/filepath"
	"strconv"
)

// maxAddress is how long the path of a socket may be, in bytes.
const maxAddress = 107

// address returns a name of the socket path that is short enough, until release is
// called: a long path leads through a descriptor of its directory.
func address(path string) (at string, release func(), err error) {
	if len(path) <= maxAddress {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	at = filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), filepath.Base(path))
	return at, func() { _ = dir.Close() }, nil
}

package control

import (
	"os"
	"path/filepath"
	"strconv"
)

// maxAddress is the longest path of a socket, in bytes.
const maxAddress = 107

// address returns an address for the socket path that is short enough. For a long path, it
// goes through a descriptor of the directory in /proc. It is valid until release is called.
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

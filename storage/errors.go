package storage

import (
	"errors"
	"io/fs"
	"os"
)

// cause strips err of the path that an open file has put on it. An *os.File
// knows only its path on the disk.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}

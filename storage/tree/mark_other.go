//go:build !unix

package tree

import "io/fs"

// mark knows nothing: on Windows, a fs.FileInfo has no number of the file.
func mark(fs.FileInfo) string { return "" }

//go:build !unix

package local

// nonblock is nothing where a directory can't hold what blocks an open.
const nonblock = 0

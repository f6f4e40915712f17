//go:build !unix

package local

// nonblock is 0, because here a directory can't contain anything that blocks an open.
const nonblock = 0

//go:build race && unix

package dav_test

// Under the race detector a process takes five times as long to start.
const killStride = 5

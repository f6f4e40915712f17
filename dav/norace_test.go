//go:build !race && unix

package dav_test

const killStride = 1

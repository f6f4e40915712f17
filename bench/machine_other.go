//go:build !linux

package main

import "runtime"

func syncFilesystem(string) error { return nil }

func filesystemOf(string) string { return "the system's filesystem" }

func kernel() string { return runtime.GOOS }

func load() float64 { return 0 }

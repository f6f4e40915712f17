//go:build !linux

package main

import (
	"context"
	"errors"
)

var errNoSandbox = errors.New("loop devices only exist on Linux: name a directory with -dir, on an otherwise unused disk")

func sandbox(context.Context, *options) error { return errNoSandbox }

func benchInSandbox(context.Context, *options, string) error { return errNoSandbox }

//go:build !linux

package main

import (
	"context"
	"errors"
)

var errNoSandbox = errors.New("there are loop devices on Linux only: name a directory with -dir, on a disk that nobody else uses")

func sandbox(context.Context, *options) error { return errNoSandbox }

func benchInSandbox(context.Context, *options, string) error { return errNoSandbox }

// Command davd serves a directory as a network drive, over WebDAV, and tells
// its clients how far a long operation is while it works.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// exitInterrupted is what shells report for a program that SIGINT ended.
const exitInterrupted = 130

func main() {
	os.Exit(run(untilSignal(), os.Args, os.Stdout, os.Stderr))
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM.
// The second one ends the program at once.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(exitInterrupted)
	}()
	return ctx
}

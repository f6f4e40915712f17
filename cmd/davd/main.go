// Command davd serves a directory as a network drive, over WebDAV, and tells
// its clients how far a long operation is while it works.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/davd/davd/storage/tree"
)

// exitInterrupted is what shells report for a program that SIGINT ended.
const exitInterrupted = 130

func main() {
	spareProcessors()
	os.Exit(run(untilSignal(), os.Args, os.Stdout, os.Stderr))
}

// spareProcessors lets requests be answered while long operations work: their
// goroutines are in system calls most of the time, and until the runtime notices
// that, some ten milliseconds, the processor that each had does nothing else. At
// all other times more of them than there are cost a tenth of the rate.
func spareProcessors() {
	if os.Getenv("GOMAXPROCS") != "" {
		return
	}
	processors := runtime.GOMAXPROCS(0)
	tree.OnBusy(func(busy bool) {
		if busy {
			runtime.GOMAXPROCS(processors + tree.Workers())
		} else {
			runtime.SetDefaultGOMAXPROCS()
		}
	})
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

// Command davd serves a directory as a network drive, over WebDAV. During a long
// operation, it tells the client about the progress.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/davd/davd/storage/tree"
)

func main() {
	// The runtime would record a sample of all allocations, because the program contains pprof.
	// openMonitor turns that on if it is wanted.
	runtime.MemProfileRate = 0
	os.Exit(run(untilSignal(), os.Args, os.Stdout, os.Stderr))
}

// newWorkers returns the limit of goroutines that work on trees. It raises GOMAXPROCS
// while long operations run, so that davd keeps answering other requests. The goroutines
// of an operation spend most of their time in system calls, and it takes the runtime
// about ten milliseconds to hand the processor of such a goroutine to another one. At
// other times, a higher GOMAXPROCS would make davd about ten percent slower.
func newWorkers() *tree.Workers {
	workers := &tree.Workers{}
	if os.Getenv("GOMAXPROCS") != "" {
		return workers
	}
	processors := runtime.GOMAXPROCS(0)
	workers.OnBusy = func(busy bool) {
		if busy {
			runtime.GOMAXPROCS(processors + workers.Limit())
		} else {
			runtime.SetDefaultGOMAXPROCS()
		}
	}
	return workers
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM.
// The second signal ends the program immediately.
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

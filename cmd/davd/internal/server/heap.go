package server

import (
	"os"
	"runtime"
)

// heapFloor is how much garbage, in bytes, makes a garbage collection worthwhile. The
// runtime collects when the heap has doubled. A server of small files only has two or three
// megabytes on the heap, so it would collect fifty times a second under load, which takes a
// third of the processor.
const heapFloor = 12 << 20

// collectorTuned reports whether the operator has set GOGC or GOMEMLIMIT. In that case the
// server does not change how the runtime manages memory.
func collectorTuned() bool { return os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" }

// raiseHeapFloor makes the heap look larger to the collector until lower is called. It
// allocates memory that is never touched, and so takes up no memory of the machine. It does
// nothing if the operator has set GOGC or GOMEMLIMIT.
func raiseHeapFloor() (lower func()) {
	if collectorTuned() {
		return func() {}
	}
	ballast := make([]byte, heapFloor)
	return func() { runtime.KeepAlive(ballast) }
}

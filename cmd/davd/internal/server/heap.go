package server

import (
	"os"
	"runtime"
)

// heapFloor is how much garbage, in bytes, is worth a collection. The heap of a
// server of small files holds two or three megabytes: by the runtime's own rule
// it is collected when it has doubled, fifty times a second under load, and that
// takes a third of the processor.
const heapFloor = 12 << 20

// collectorTuned reports whether the operator has set GOGC or GOMEMLIMIT: then the
// server leaves the memory to the runtime.
func collectorTuned() bool { return os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" }

// raiseHeapFloor makes the collector take the heap for larger than it is, until
// lower is called, by memory that is never touched and so takes none of the
// machine's. Where the operator has set GOGC or GOMEMLIMIT it does nothing.
func raiseHeapFloor() (lower func()) {
	if collectorTuned() {
		return func() {}
	}
	ballast := make([]byte, heapFloor)
	return func() { runtime.KeepAlive(ballast) }
}

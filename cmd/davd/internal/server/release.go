package server

import (
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	// releaseAfter is how long after the end of a connection the memory is looked at.
	releaseAfter = 5 * time.Second
	// worthReleasing is how much memory, in bytes, is worth two collections.
	worthReleasing = 64 << 20
	// quietBytes is how little, in bytes, is allocated within releaseAfter when the
	// server has hardly anything to do.
	quietBytes = 8 << 20
)

// releaser gives memory back to the system when a burst of connections is over. The
// runtime does so too, but it collects an idle heap only every two minutes, and the
// buffers of ended connections survive a collection.
type releaser struct {
	// armed: a look at the memory is due.
	armed atomic.Bool
	// held was in use after the last release. allocated was allocated in total when
	// the memory was looked at last.
	held, allocated uint64
	// usage returns what is in use and what has been allocated, in bytes; release
	// releases what is free.
	usage   func() (held, allocated uint64)
	release func()
}

func newReleaser() *releaser { return &releaser{usage: memoryUsage, release: releaseMemory} }

// connState is for http.Server.ConnState.
func (r *releaser) connState(_ net.Conn, state http.ConnState) {
	if (state == http.StateClosed || state == http.StateHijacked) && !r.armed.Load() && !r.armed.Swap(true) {
		_, r.allocated = r.usage()
		time.AfterFunc(releaseAfter, r.look)
	}
}

// look releases memory if there is much of it and the server is quiet. While it is
// busy, it looks again later.
func (r *releaser) look() {
	held, allocated := r.usage()
	quiet := allocated-r.allocated < quietBytes
	r.allocated = allocated
	switch {
	case held < r.held+worthReleasing:
		r.held = min(r.held, held)
	case quiet:
		r.release()
		r.held, _ = r.usage()
	default:
		time.AfterFunc(releaseAfter, r.look)
		return
	}
	r.armed.Store(false)
}

func memoryUsage() (held, allocated uint64) {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64(), samples[2].Value.Uint64()
}

// releaseMemory collects twice: what a sync.Pool holds survives the first time.
func releaseMemory() {
	runtime.GC()
	debug.FreeOSMemory()
}

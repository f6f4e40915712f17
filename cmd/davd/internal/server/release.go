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
	// releaseAfter is the time between the end of a connection and the check of the memory.
	releaseAfter = 5 * time.Second
	// worthReleasing is how much memory, in bytes, makes a release worthwhile, which takes
	// two garbage collections.
	worthReleasing = 64 << 20
	// quietBytes is the limit, in bytes, of a quiet server: it has
	// allocated less than this within releaseAfter.
	quietBytes = 8 << 20
)

// releaser gives memory back to the system when a burst of connections is over. The
// runtime does that as well, but it collects an idle heap only every two minutes, and the
// buffers of ended connections survive one collection.
type releaser struct {
	// armed says that a check of the memory is scheduled.
	armed atomic.Bool
	// held is how much memory was in use after the last release. allocated is how much had
	// been allocated in total at the last check. Both are in bytes.
	held, allocated uint64
	// usage returns how much memory is in use and how much has been allocated in total, in
	// bytes. release gives free memory back to the system.
	usage   func() (held, allocated uint64)
	release func()
}

// connState is a ConnState hook for http.Server. It schedules a check when a connection ends.
func (r *releaser) connState(_ net.Conn, state http.ConnState) {
	if (state == http.StateClosed || state == http.StateHijacked) && !r.armed.Load() && !r.armed.Swap(true) {
		_, r.allocated = r.usage()
		time.AfterFunc(releaseAfter, r.look)
	}
}

// look releases memory if much is in use and the server is quiet. If the server is busy, it
// checks again later.
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

// releaseMemory collects twice, because objects in a sync.Pool survive the first collection.
func releaseMemory() {
	runtime.GC()
	debug.FreeOSMemory()
}

package interim

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
)

// Counter counts the progress of a request, for the header Progress of its interim
// responses. All methods are safe for concurrent use, and do nothing on a nil Counter.
type Counter struct {
	// lists says that the request reads and changes nothing.
	lists                          bool
	done, known, bytes, knownBytes atomic.Int64
	// root is the first name, current the last.
	root, current atomic.Pointer[string]
}

type counterKey struct{}

// CounterOf returns the Counter of the request with the context, or nil if it gets no
// interim responses.
func CounterOf(ctx context.Context) *Counter {
	c, _ := ctx.Value(counterKey{}).(*Counter)
	return c
}

func newCounter(r *http.Request) *Counter {
	return &Counter{lists: r.Method == "PROPFIND" || r.Method == "REPORT" || r.Method == "SEARCH"}
}

// Begin takes note of the member that is being worked on now. The first name is that of
// the request's resource. Progress shows those below it, relative to it.
func (c *Counter) Begin(name string) {
	if c == nil {
		return
	}
	c.root.CompareAndSwap(nil, &name)
	c.current.Store(&name)
}

// Add counts members and bytes of content that are finished.
func (c *Counter) Add(members, bytes int64) {
	if c == nil {
		return
	}
	c.done.Add(members)
	c.bytes.Add(bytes)
}

// Total sets the number of all members and bytes, if that is known. Progress shows a
// total only after this.
func (c *Counter) Total(members, bytes int64) {
	if c == nil {
		return
	}
	c.known.Store(members)
	c.knownBytes.Store(bytes)
}

// Snapshot implements [Monitor].
func (c *Counter) Snapshot() Progress {
	p := Progress{Done: c.done.Load(), Bytes: c.bytes.Load(), Known: c.known.Load(), KnownBytes: c.knownBytes.Load()}
	p.Final = p.Known > 0 || p.KnownBytes > 0
	if root, current := c.root.Load(), c.current.Load(); root != nil && current != nil {
		if below, ok := strings.CutPrefix(*current, strings.TrimSuffix(*root, "/")+"/"); ok {
			p.Current = below
		}
	}
	return p
}

// Subscribe implements [Monitor]. A Counter knows no outcomes of members.
func (*Counter) Subscribe() Outcomes { return noOutcomes{} }

// noMonitor knows nothing.
type noMonitor struct{}

func (noMonitor) Snapshot() Progress  { return Progress{} }
func (noMonitor) Subscribe() Outcomes { return noOutcomes{} }

type noOutcomes struct{}

func (noOutcomes) Take() []Outcome { return nil }
func (noOutcomes) Close()          {}

// Package streams protects the server from HTTP/2 clients that request answers but don't
// read them.
//
// On an HTTP/1.1 connection, the system buffers an answer that the client does not read, up
// to a limit. An HTTP/2 client says for each of its streams how much data it accepts. As long
// as that is nothing, the server has to hold the answer, and one connection can have a
// hundred streams.
package streams

import (
	"cmp"
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/davd/davd/cmd/davd/internal/forwarded"
	"github.com/davd/davd/cmd/davd/internal/overload"
)

// The defaults of [Handler].
const (
	defaultMost   = 1000
	defaultMostOf = 250
)

// Handler passes requests to Next. It answers HTTP/2 requests beyond its limits with 503, and
// gives up a stream whose client reads none of an answer for as long as Stall. It does not
// limit HTTP/1 requests.
type Handler struct {
	Next http.Handler
	// Most is how many HTTP/2 requests may run at a time, and MostOf how many from one
	// address, or from the /64 of an IPv6 address. Zero means 1,000 and 250.
	Most, MostOf int
	// Stall is how long a client may read none of an answer. Zero or a negative value means
	// no limit.
	Stall time.Duration
	// Refused, if not nil, is called with the reason for a 503.
	Refused func(*http.Request, error)

	mu  sync.Mutex
	all int
	of  map[netip.Addr]int
}

var errTooMany = errors.New("too many requests are running: try again when some of them have ended")

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor < 2 {
		h.Next.ServeHTTP(w, r)
		return
	}
	client := forwarded.Network(r.RemoteAddr)
	if h.Stall > 0 {
		timed := &writer{ResponseWriter: w, stall: h.Stall}
		defer timed.deadline(h.Stall) // for what net/http sends afterwards
		w = timed
	}
	if !h.enter(client) {
		if h.Refused != nil {
			h.Refused(r, errTooMany)
		}
		// A client that takes nothing would hold the stream with a body, and these streams
		// have no limit.
		overload.Refuse(w, "")
		return
	}
	defer h.leave(client)
	h.Next.ServeHTTP(w, r)
}

func (h *Handler) enter(client netip.Addr) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all >= cmp.Or(h.Most, defaultMost) || h.of[client] >= cmp.Or(h.MostOf, defaultMostOf) {
		return false
	}
	if h.of == nil {
		h.of = make(map[netip.Addr]int)
	}
	h.all++
	h.of[client]++
	return true
}

func (h *Handler) leave(client netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all--
	if h.of[client]--; h.of[client] == 0 {
		delete(h.of, client)
	}
}

// Package streams protects the server from HTTP/2 clients that request answers but don't
// read them.
//
// On an HTTP/1.1 connection, the system buffers an answer that the client does not read, up
// to a limit. An HTTP/2 client says for each of its streams how much data it accepts. As long
// as that is nothing, the server has to hold the answer, and one connection can have a
// hundred streams.
package streams

import (
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

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

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor < 2 {
		h.Next.ServeHTTP(w, r)
		return
	}
	client := clientOf(r)
	if h.Stall > 0 {
		timed := &writer{ResponseWriter: w, stall: h.Stall}
		defer timed.last()
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

// clientOf returns the address that r is counted for, or the zero Addr if r has no address.
func clientOf(r *http.Request) netip.Addr {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := remote.Addr().Unmap()
	if addr.Is6() {
		prefix, _ := addr.Prefix(64) // 64 is right for any IPv6 address
		addr = prefix.Addr()
	}
	return addr
}

func (h *Handler) enter(client netip.Addr) bool {
	most, mostOf := h.Most, h.MostOf
	if most == 0 {
		most = defaultMost
	}
	if mostOf == 0 {
		mostOf = defaultMostOf
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all >= most || h.of[client] >= mostOf {
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

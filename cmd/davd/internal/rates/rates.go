// Package rates limits how many requests a client sends.
package rates

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// burstTime is for how long a client that was quiet may send what it likes: so many seconds of its
	// rate. Clients that open a folder send many requests at once.
	burstTime = 10
	// fewRequests is the least burst.
	fewRequests = 20
	// maxClients limits the memory. When so many are known, those that have been quiet are forgotten,
	// and if there are none, all are.
	maxClients = 10_000
)

// Handler passes requests to Next, and answers those of a client that exceeds its rate with 429 (RFC
// 6585 §4).
type Handler struct {
	Next http.Handler
	// Client returns who sent a request. Requests without a client ("") have no limit.
	Client func(*http.Request) string
	// Rate is how many requests a client may send per second, on average.
	Rate float64
	// Refused, if not nil, is called with the reason for a 429.
	Refused func(*http.Request, error)

	mu sync.Mutex
	of map[string]*rate.Limiter
}

var errTooFast = errors.New("the client sends too many requests per second")

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	client := h.Client(r)
	if client == "" || h.take(client, time.Now()) {
		h.Next.ServeHTTP(w, r)
		return
	}
	if h.Refused != nil {
		h.Refused(r, errTooFast)
	}
	w.Header().Set("Retry-After", strconv.Itoa(max(int(math.Ceil(1/h.Rate)), 1)))
	http.Error(w, "429 Too Many Requests: try again in a moment", http.StatusTooManyRequests)
}

// take reports whether the client may send one more request now.
func (h *Handler) take(client string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	limiter := h.of[client]
	if limiter == nil {
		h.makeRoomLocked(now)
		limiter = rate.NewLimiter(rate.Limit(h.Rate), h.burst())
		h.of[client] = limiter
	}
	return limiter.AllowN(now, 1)
}

func (h *Handler) burst() int { return max(int(burstTime*h.Rate), fewRequests) }

func (h *Handler) makeRoomLocked(now time.Time) {
	if h.of != nil && len(h.of) < maxClients {
		return
	}
	for client, limiter := range h.of {
		if limiter.TokensAt(now) >= float64(h.burst()) {
			delete(h.of, client)
		}
	}
	if h.of == nil || len(h.of) >= maxClients {
		h.of = make(map[string]*rate.Limiter)
	}
}

package metrics

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// checkPatience is how long all checks together may take.
	checkPatience = 5 * time.Second
	// checkKept is how long their results are used again.
	checkKept = time.Second
)

// Check is something that davd needs in order to work.
type Check struct {
	Name string
	Run  func(context.Context) error
}

// Health says whether davd is ready for requests.
type Health struct {
	mu     sync.Mutex
	checks []Check

	serving atomic.Bool
	flight  singleflight.Group
	newest  atomic.Pointer[readiness]
}

// readiness is the JSON document of /readyz.
type readiness struct {
	Ready  bool     `json:"ready"`
	Checks []result `json:"checks"`

	at time.Time
}

type result struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Error is for the operator and may name files.
	Error string `json:"error,omitempty"`
}

// Need adds something that davd needs in order to be ready.
func (h *Health) Need(c Check) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, c)
}

func (h *Health) needed() []Check {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.checks)
}

// SetServing says whether davd accepts connections.
func (h *Health) SetServing(serving bool) {
	h.serving.Store(serving)
	h.newest.Store(nil)
}

// serveReady answers 200 if all checks succeed and 503 otherwise. Requests at the same time, and
// for a second, share one round of checks.
func (h *Health) serveReady(w http.ResponseWriter, r *http.Request) {
	found := h.newest.Load()
	if found == nil || time.Since(found.at) >= checkKept {
		select {
		case <-h.flight.DoChan("", func() (any, error) { h.check(); return nil, nil }):
			found = h.newest.Load()
		case <-time.After(checkPatience):
			found = nil
		case <-r.Context().Done():
			return
		}
	}
	if found == nil {
		found = &readiness{Checks: []result{{Name: "checks", Error: "they take too long"}}}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !found.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(found) // an error means that the client has gone
}

func (h *Health) check() {
	ctx, cancel := context.WithTimeout(context.Background(), checkPatience)
	defer cancel()
	serving := h.serving.Load()
	found := &readiness{Ready: serving, Checks: []result{{Name: "listeners", OK: serving}}}
	for _, c := range h.needed() {
		each := result{Name: c.Name, OK: true}
		if err := c.Run(ctx); err != nil {
			each.OK, each.Error, found.Ready = false, err.Error(), false
		}
		found.Checks = append(found.Checks, each)
	}
	found.at = time.Now()
	h.newest.Store(found)
}

// serveHealth answers 200 as long as davd answers at all.
func serveHealth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

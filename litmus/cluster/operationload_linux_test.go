package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// longestOperation is how long an operation may take to end, including a takeover.
const longestOperation = 90 * time.Second

// operations are clients that start COPYs with Prefer: respond-async and follow their status documents.
type operations struct {
	wire   *wire
	source string // the collection that is copied
	size   int    // how many names its listing has
	dir    string

	mu       sync.Mutex
	accepted int
	ends     map[string]int // how many ended, by how
	errs     []error
}

// statusDocument is the part of a status document that the tests need.
type statusDocument struct {
	State    string `json:"state"`
	Status   *int   `json:"status"`
	Recovery string `json:"recovery"`
	Reason   string `json:"reason"`
}

// client copies trees until stop is closed.
func (l *operations) client(ctx context.Context, stop <-chan struct{}, seed uint64, who int) {
	rng := rand.New(rand.NewPCG(seed, uint64(4000+who)))
	for count := 0; ; count++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rng.IntN(200)) * time.Millisecond):
		}
		to := fmt.Sprintf("%s/%d-%d", l.dir, who, count)
		header := map[string]string{"Destination": l.wire.url + to, "Prefer": "respond-async, wait=0"}
		a := l.wire.send(ctx, longestRequest, copyTree, l.source, header, "")
		if a.status != http.StatusAccepted {
			continue
		}
		end, err := l.follow(ctx, a.header.Get("Location"), to)
		l.mu.Lock()
		l.accepted++
		l.ends[end]++
		if err != nil {
			l.errs = append(l.errs, fmt.Errorf("COPY to %s, %s: %w", to, a.header.Get("Location"), err))
		}
		l.mu.Unlock()
	}
}

// follow waits until the operation with the status document location has ended, and checks
// whether the document is true.
func (l *operations) follow(ctx context.Context, location, to string) (end string, err error) {
	limit := time.Now().Add(longestOperation)
	for {
		a := l.wire.send(ctx, longestRequest, http.MethodGet, location, map[string]string{"Accept": "application/json"}, "")
		var document statusDocument
		switch {
		case a.status == http.StatusOK:
			if err := json.Unmarshal([]byte(a.body), &document); err != nil {
				return "unreadable", err
			}
			if document.State != "running" {
				return l.verify(ctx, document, to)
			}
		case a.status != 0:
			return "no document", fmt.Errorf("GET of the status document: status %d: %.200s", a.status, a.body)
		}
		if time.Now().After(limit) {
			return "endless", fmt.Errorf("not ended after %v: %+v %.200s", longestOperation, document, a.body)
		}
		pauseBriefly(ctx)
	}
}

// verify compares the result of an operation with its status document.
func (l *operations) verify(ctx context.Context, document statusDocument, to string) (end string, err error) {
	done := document.Recovery == "finished"
	// It had changed nothing, or was complete.
	either := document.State == "interrupted" && document.Recovery == ""
	end = document.State + " " + document.Recovery
	if document.Status != nil {
		done = *document.Status == http.StatusCreated
		end += strconv.Itoa(*document.Status)
	}
	limit := time.Now().Add(longestOperation)
	for {
		a := l.wire.send(ctx, longestRequest, "PROPFIND", to, map[string]string{"Depth": "infinity"}, askNames)
		found := strings.Count(a.body, "href>") / 2
		switch {
		case (a.status == 0 || partial(a)) && time.Now().Before(limit):
			pauseBriefly(ctx)
			continue
		case either && (a.status == http.StatusNotFound || found == l.size):
		case done && (a.status != http.StatusMultiStatus || found != l.size):
			return end, fmt.Errorf("%+v, but PROPFIND answers %d with %d of %d names", document, a.status, found, l.size)
		case !done && a.status != http.StatusNotFound:
			return end, fmt.Errorf("%+v, but PROPFIND answers %d with %d names", document, a.status, found)
		}
		return end, nil
	}
}

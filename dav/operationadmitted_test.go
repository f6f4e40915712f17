package dav_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
)

// TestStatusNotAdmitted checks that a user who is removed while following an operation
// loses access within a second, and that the operation continues.
func TestStatusNotAdmitted(t *testing.T) {
	for _, field := range []string{"Accept: text/event-stream", "Prefer: processing"} {
		t.Run(field, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var removed atomic.Bool
				h := &dav.Handler{
					Interim:  interim.Policy{Mode: interim.Always},
					Admitted: func(r *http.Request) bool { return r.Header.Get("X-User") != "a" || !removed.Load() },
				}
				s, g := inBubble(t, h)
				client, location := underWay(s, g, "COPY /src", "Destination: /dst")
				const after = 10*time.Second + 500*time.Millisecond
				time.AfterFunc(after, func() { removed.Store(true) })
				time.AfterFunc(time.Minute, g.open) // so that a failure ends
				start := time.Now()
				reader := s.dial()
				reader.ask("GET "+location, "X-User: a", field)
				_, a := reader.final()
				if lasted := time.Since(start); lasted < after || lasted > after+time.Second {
					t.Errorf("ended after %v", lasted)
				}
				if a.status == 200 && !strings.HasPrefix(a.body, "event: progress\n") || strings.Contains(a.body, "event: end") {
					t.Errorf("answered %d %s", a.status, a.body)
				}
				g.open()
				if _, a := client.final(); a.status != 201 {
					t.Errorf("the COPY is %d %s", a.status, a.body)
				}
			})
		})
	}
}

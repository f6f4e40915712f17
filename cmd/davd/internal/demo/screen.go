package demo

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
)

// Screen prints the responses to each request.
type Screen struct {
	mu  sync.Mutex
	Out io.Writer
}

// Interim prints an interim response. It is the Sent function of an interim.Policy.
func (s *Screen) Interim(r *http.Request, header http.Header) {
	s.print(http.StatusProcessing, r.Method, r.URL.Path, header.Get("Progress"))
}

// Final prints a final response. It is the Done function of an accesslog.Handler.
func (s *Screen) Final(_ *http.Request, record accesslog.Record) {
	what := record.Path
	if record.Destination != "" {
		what += " to " + record.Destination
	}
	how := fmt.Sprintf("after %.1f s", record.Duration.Round(100*time.Millisecond).Seconds())
	switch record.Interim {
	case 0:
	case 1:
		how += " and 1 interim response"
	default:
		how += fmt.Sprintf(" and %d interim responses", record.Interim)
	}
	s.print(record.Status, record.Method, what, how)
}

func (s *Screen) print(status int, method, what, how string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.Out, "%d %-12s  %s %s  %s\n", status, http.StatusText(status), method, what, how)
}

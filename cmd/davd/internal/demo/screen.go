package demo

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/client/terminal"
)

// Screen prints the responses to each request.
type Screen struct {
	mu  sync.Mutex
	Out io.Writer
	// Colour shows the statuses in colours.
	Colour bool
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
	text := fmt.Sprintf("%d %-12s", status, http.StatusText(status))
	switch {
	case s.Colour && status >= http.StatusBadRequest:
		text = terminal.Bold(terminal.Red, text)
	case s.Colour && status < http.StatusOK:
		text = terminal.Bold(terminal.Blue, text)
	case s.Colour:
		text = terminal.Bold(terminal.Green, text)
	}
	fmt.Fprintf(s.Out, "%s  %s %s  %s\n", text, method, what, how)
}

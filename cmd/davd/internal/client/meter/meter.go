// Package meter shows how far an operation is: as one line that is redrawn on a
// terminal, as a line for each state elsewhere.
package meter

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Unknown is a total that is not known.
const Unknown = -1

// State is how far an operation is.
type State struct {
	// Done and Total count members, Bytes and TotalBytes their content. A total
	// may be Unknown.
	Done, Total, Bytes, TotalBytes int64
	// Member is the one that is worked on, in printable characters, or "".
	Member string
}

// Meter shows states. It may be used by several goroutines at once, and a nil
// Meter shows nothing.
type Meter struct {
	out   io.Writer
	width func() int
	// every is the shortest time between two of what is shown.
	every time.Duration

	mu    sync.Mutex
	began time.Time
	shown time.Time
	drawn int // the length of the line that is on the terminal
}

// Bar returns a Meter that redraws a line on the terminal out, which is as wide
// as width says at that time, ten times a second at most.
func Bar(out io.Writer, width func() int) *Meter {
	return &Meter{out: out, width: width, every: 100 * time.Millisecond, began: time.Now()}
}

// Lines returns a Meter that writes each state as a line, but not sooner than
// every after the last.
func Lines(out io.Writer, every time.Duration) *Meter {
	return &Meter{out: out, every: every, began: time.Now()}
}

// Show shows s, unless the last state has just been shown.
func (m *Meter) Show(s State) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if !m.shown.IsZero() && now.Sub(m.shown) < m.every {
		return
	}
	m.shown = now
	if m.width == nil {
		fmt.Fprintf(m.out, "%6.1f s  %s\n", now.Sub(m.began).Seconds(), s.line())
		return
	}
	m.drawLocked(s.bar(m.width()-1, now.Sub(m.began)))
}

// Clear takes the line off the terminal, so that something else can be written.
func (m *Meter) Clear() {
	if m == nil || m.width == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.drawn > 0 {
		m.drawLocked("")
		fmt.Fprint(m.out, "\r")
	}
}

// drawLocked writes line over the last one.
func (m *Meter) drawLocked(line string) {
	length := utf8.RuneCountInString(line)
	fmt.Fprint(m.out, "\r"+line+strings.Repeat(" ", max(m.drawn-length, 0)))
	m.drawn = length
}

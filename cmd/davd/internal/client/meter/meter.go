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
	// Final: the totals will not grow. Others are taken for final when they have not
	// changed for a while.
	Final bool
	// Member is the one that is worked on, in printable characters, or "".
	Member string
}

// Meter shows states. It may be used by several goroutines at once, and a nil
// Meter shows nothing.
type Meter struct {
	out   io.Writer
	width func() int
	// first is the age from which on something is shown, and every the shortest time
	// between two of what is shown.
	first, every time.Duration

	mu    sync.Mutex
	began time.Time
	shown time.Time
	drawn int // the length of the line that is on the terminal
	last  State
	// still is since when the totals are those of last.
	still time.Time
	// from is the first state in which something was done, and fromAt its time: until
	// then a server may have counted.
	from   State
	fromAt time.Time
}

// stillEnough is for how long a total that may grow must not have done so before a
// share of it is shown.
const stillEnough = 3 * time.Second

// Bar returns a Meter that redraws a line on the terminal out, which is as wide
// as width says at that time, ten times a second at most.
func Bar(out io.Writer, width func() int) *Meter {
	return &Meter{out: out, width: width, every: 100 * time.Millisecond, began: time.Now()}
}

// Lines returns a Meter that writes states as lines, none before it is as old as
// first, and not sooner than every after the last.
func Lines(out io.Writer, first, every time.Duration) *Meter {
	return &Meter{out: out, first: first, every: every, began: time.Now()}
}

// Show shows s, unless the last state has just been shown.
func (m *Meter) Show(s State) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	s.Final = m.finalLocked(s, now)
	if m.fromAt.IsZero() && (s.Done > 0 || s.Bytes > 0) {
		m.from, m.fromAt = s, now
	}
	if now.Sub(m.began) < m.first || !m.shown.IsZero() && now.Sub(m.shown) < m.every {
		return
	}
	m.shown = now
	if m.width == nil {
		fmt.Fprintf(m.out, "%6.1f s  %s\n", now.Sub(m.began).Seconds(), s.line())
		return
	}
	m.drawLocked(s.bar(m.width()-1, m.from, now.Sub(m.fromAt)))
}

// finalLocked reports whether a share of the totals of s can be shown: once they grow
// it would fall.
func (m *Meter) finalLocked(s State, now time.Time) bool {
	if m.still.IsZero() || s.Total != m.last.Total || s.TotalBytes != m.last.TotalBytes {
		m.still = now
	}
	m.last = s
	return s.Final || now.Sub(m.still) >= stillEnough
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

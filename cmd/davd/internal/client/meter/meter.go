// Package meter shows the progress of an operation. On a terminal it redraws one line;
// elsewhere it writes a new line for each state.
package meter

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Unknown is the value of an unknown total.
const Unknown = -1

// State is the progress of an operation.
type State struct {
	// Done and Total count members. Bytes and TotalBytes count the bytes of their content.
	// A total may be Unknown.
	Done, Total, Bytes, TotalBytes int64
	// Final says that the totals will not grow. A Meter also treats them as final when they
	// have not changed for a while.
	Final bool
	// Member is the name of the current member, in printable characters, or "".
	Member string
}

// Meter shows states. Several goroutines may use it at the same time. A nil Meter shows
// nothing.
type Meter struct {
	out   io.Writer
	width func() int
	// first is the time before the first state is shown, and every the shortest time
	// between two states that are shown.
	first, every time.Duration

	mu    sync.Mutex
	began time.Time
	shown time.Time
	drawn int // the length of the line on the terminal, in characters
	last  State
	// still is since when the totals have not changed.
	still time.Time
	// from is the first state that something was done in, and fromAt its time. The speed
	// is computed from there, because before that the server may only have counted.
	from   State
	fromAt time.Time
}

// stillEnough is how long a total that is not final must be unchanged before a percentage is
// shown.
const stillEnough = 3 * time.Second

// Bar returns a Meter that redraws a line on the terminal out, at most ten times a second.
// width returns the current width of the terminal, in characters.
func Bar(out io.Writer, width func() int) *Meter {
	return &Meter{out: out, width: width, every: 100 * time.Millisecond, began: time.Now()}
}

// Lines returns a Meter that writes states as lines. It writes the first one after the time
// first, and waits at least every before the next.
func Lines(out io.Writer, first, every time.Duration) *Meter {
	return &Meter{out: out, first: first, every: every, began: time.Now()}
}

// Show shows s, unless it is too early to show another state.
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

// finalLocked reports whether the totals of s are final or have not changed for a while. If
// they grew after a percentage was shown, it would fall.
func (m *Meter) finalLocked(s State, now time.Time) bool {
	if m.still.IsZero() || s.Total != m.last.Total || s.TotalBytes != m.last.TotalBytes {
		m.still = now
	}
	m.last = s
	return s.Final || now.Sub(m.still) >= stillEnough
}

// Clear removes the line from the terminal, so that other output can be written.
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

// Summary writes what was done: the numbers of members and bytes, as far as they are known, and
// the time. verb is a participle, such as "copied". Without a terminal it writes nothing about
// an operation that ended before the first line of progress.
func (m *Meter) Summary(verb string) {
	if m == nil {
		return
	}
	m.Clear()
	m.mu.Lock()
	defer m.mu.Unlock()
	took := time.Since(m.began)
	if took >= m.first {
		fmt.Fprintln(m.out, m.last.summary(verb, took))
	}
}

// drawLocked overwrites the previous line with line.
func (m *Meter) drawLocked(line string) {
	length := utf8.RuneCountInString(line)
	fmt.Fprint(m.out, "\r"+line+strings.Repeat(" ", max(m.drawn-length, 0)))
	m.drawn = length
}

package dav

import (
	"sync"
	"time"

	"github.com/davd/davd/storage/tree"
)

const (
	// paceWindow is the time over which a rate is taken, at least as far as there
	// is something noted.
	paceWindow = 10 * time.Second
	// paceStep is the least time between two notes.
	paceStep = time.Second
)

// pace is how fast an operation is. Whoever looks at its progress notes it: there
// is no clock of its own.
type pace struct {
	mu    sync.Mutex
	notes []paceNote // the oldest first; one may be older than paceWindow
}

type paceNote struct {
	at             time.Time
	members, bytes int64
}

// note takes note of progress and returns members and bytes a second of late. The
// time before the first of it says nothing of the pace, nor does less than paceStep:
// then they are 0.
func (p *pace) note(started, now time.Time, progress tree.Progress) (members, bytes float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.notes) == 0 {
		p.notes = append(p.notes, paceNote{at: started})
	}
	if progress.Done == 0 && progress.Bytes == 0 {
		p.notes[0].at = now
		return 0, 0
	}
	for len(p.notes) > 1 && now.Sub(p.notes[1].at) >= paceWindow {
		p.notes = p.notes[1:]
	}
	since := p.notes[0]
	if window := now.Sub(since.at); window >= paceStep {
		members = float64(progress.Done-since.members) / window.Seconds()
		bytes = float64(progress.Bytes-since.bytes) / window.Seconds()
	}
	if now.Sub(p.notes[len(p.notes)-1].at) >= paceStep {
		p.notes = append(p.notes, paceNote{at: now, members: progress.Done, bytes: progress.Bytes})
	}
	return members, bytes
}

// secondsLeft estimates how long an operation will still take at that pace. ok is
// false when nothing is known.
func secondsLeft(done, known int64, members float64, bytesDone, bytesKnown int64, bytes float64) (seconds float64, ok bool) {
	if known == 0 || members <= 0 && bytes <= 0 {
		return 0, false
	}
	if members > 0 {
		seconds = float64(known-done) / members
	}
	if bytes > 0 {
		seconds = max(seconds, float64(bytesKnown-bytesDone)/bytes)
	}
	return seconds, true
}

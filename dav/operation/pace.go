package operation

import (
	"sync"
	"time"

	"github.com/davd/davd/dav/interim"
)

const (
	// paceWindow is the time over which a rate is averaged. It may be longer if
	// progress was not noted often enough.
	paceWindow = 10 * time.Second
	// paceStep is the least time between two notes.
	paceStep = time.Second
)

// pace measures the rate of an operation. It has no timer: each call of note, for a
// client that asks for the progress, is one measurement.
type pace struct {
	mu    sync.Mutex
	notes []paceNote // the oldest first; one may be older than paceWindow
}

type paceNote struct {
	at             time.Time
	members, bytes int64
}

// note records progress and returns the recent members and bytes per second. The clock
// starts with the first progress. Both rates are 0 until paceStep has passed.
func (p *pace) note(started, now time.Time, progress interim.Progress) (members, bytes float64) {
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

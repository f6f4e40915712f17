package interim

import (
	"sync"
	"time"
)

const (
	// GatherBytes is how much of a listing a Stream gathers for one Write, and gatherTime
	// for how long at most.
	GatherBytes = 32 << 10
	gatherTime  = 100 * time.Millisecond
)

// Stream writes response elements. While the response is held, it passes them on
// directly, because the response keeps them. Later it gathers elements, so that one
// Write has many of them, and flushes often enough that none waits for long, here or in
// the buffers of net/http. Each Write has whole elements, so that other code may write
// white space between two Writes.
type Stream struct {
	res *Response

	mu    sync.Mutex
	buf   []byte
	begun bool // the response is no longer held
	timer *time.Timer
	due   bool // timer is running
	ended bool
	err   error
}

// NewStream returns a stream that writes to res.
func NewStream(res *Response) *Stream { return &Stream{res: res} }

// Write writes or gathers elements.
func (s *Stream) Write(elements []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buf)+len(elements) >= GatherBytes {
		s.passLocked()
	}
	if s.begun && len(elements) < GatherBytes {
		s.buf = append(s.buf, elements...)
	} else {
		s.writeLocked(elements)
	}
	if s.begun && !s.due {
		s.due = true
		if s.timer == nil {
			s.timer = time.AfterFunc(gatherTime, s.tick)
		} else {
			s.timer.Reset(gatherTime)
		}
	}
	return s.err
}

func (s *Stream) writeLocked(elements []byte) {
	if s.err != nil {
		return
	}
	_, s.err = s.res.Write(elements)
	s.begun = s.begun || !s.res.held()
}

// passLocked writes the gathered elements.
func (s *Stream) passLocked() {
	if len(s.buf) > 0 {
		s.writeLocked(s.buf)
		s.buf = s.buf[:0]
	}
}

// tick sends the gathered elements after gatherTime.
func (s *Stream) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = false
	if !s.ended {
		s.passLocked()
		s.res.flushStreamed()
	}
}

// End writes the last elements. The stream writes nothing afterwards.
func (s *Stream) End(elements []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.buf = append(s.buf, elements...)
	s.passLocked()
	return s.err
}

package dav

import (
	"sync"
	"time"
)

const (
	// gatherBytes is how much of a listing is gathered for one Write, and
	// gatherTime for how long at most.
	gatherBytes = 32 << 10
	gatherTime  = 100 * time.Millisecond
)

// stream writes response elements. While the response is held it keeps them; then
// they are gathered here, so that one Write is of many, and none waits for long,
// here or in the buffers of net/http. Each Write is of whole elements, so that
// white space may stand between two.
type stream struct {
	res *response

	mu    sync.Mutex
	buf   []byte
	begun bool // the response is no longer held
	timer *time.Timer
	due   bool // timer runs
	ended bool
	err   error
}

// write takes elements.
func (s *stream) write(elements []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buf)+len(elements) >= gatherBytes {
		s.passLocked()
	}
	if s.begun && len(elements) < gatherBytes {
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

func (s *stream) writeLocked(elements []byte) {
	if s.err != nil {
		return
	}
	_, s.err = s.res.Write(elements)
	s.begun = s.begun || !s.res.held()
}

// passLocked writes what was gathered.
func (s *stream) passLocked() {
	if len(s.buf) > 0 {
		s.writeLocked(s.buf)
		s.buf = s.buf[:0]
	}
}

// tick sends what has been waiting for gatherTime.
func (s *stream) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = false
	if !s.ended {
		s.passLocked()
		s.res.flushStreamed()
	}
}

// end writes the last elements. Nothing is written afterwards.
func (s *stream) end(elements []byte) error {
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

package auth

import (
	"sync"
	"time"
)

const (
	// rememberFor is how long a verified password is remembered.
	rememberFor = 10 * time.Minute
	// maxRemembered limits the number of verified passwords in memory.
	maxRemembered = 20_000
)

// verification records a password that was right.
type verification struct {
	id    *Identity
	until time.Time
}

// memory holds the verified passwords. The zero value is empty.
type memory struct {
	mu sync.RWMutex
	of map[digest]verification
}

// recall returns the verification of d. If the user is no longer valid, it forgets the verification.
func (m *memory) recall(v Verifier, d digest) (found verification, ok bool) {
	m.mu.RLock()
	found, ok = m.of[d]
	m.mu.RUnlock()
	if ok && !v.Valid(found.id) {
		m.forget(d)
		return verification{}, false
	}
	return found, ok
}

func (m *memory) store(d digest, v verification) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = make(map[digest]verification)
	}
	if len(m.of) >= maxRemembered {
		m.makeRoomLocked(time.Now())
	}
	m.of[d] = v
}

func (m *memory) forget(d digest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, d)
}

// makeRoomLocked forgets a quarter, beginning with passwords that must be verified again
// anyway.
func (m *memory) makeRoomLocked(now time.Time) {
	for _, before := range []time.Time{now, now.Add(rememberFor)} {
		for d, v := range m.of {
			if len(m.of) > maxRemembered*3/4 && !v.until.After(before) {
				delete(m.of, d)
			}
		}
	}
}

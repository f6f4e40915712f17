package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// lockedFor is the timeout of the locks of holders. A lock of a request without an answer ends by
// itself.
const lockedFor = 10 * time.Second

// A hold is a time during which a client certainly held a lock.
type hold struct {
	root         string
	deep, shared bool
	from, to     int64
}

func (h hold) String() string {
	return fmt.Sprintf("%s (deep: %t, shared: %t) from %.4f to %.4f", h.root, h.deep, h.shared,
		time.Duration(h.from).Seconds(), time.Duration(h.to).Seconds())
}

// covers reports whether the lock protects name.
func (h hold) covers(name string) bool {
	return h.root == name || h.deep && strings.HasPrefix(name, h.root+"/")
}

// conflicts reports whether both locks could never be held at the same time, but were.
func (h hold) conflicts(other hold) bool {
	return h.from < other.to && other.from < h.to && (!h.shared || !other.shared) &&
		(h.covers(other.root) || other.covers(h.root))
}

// A trespass is a change without a lock token that succeeded.
type trespass struct {
	name     string
	from, to int64
}

// holders are clients that lock collections and files, and others that change files without locks.
type holders struct {
	wire  *wire
	clock clock
	dir   string

	mu         sync.Mutex
	holds      []hold
	trespasses []trespass
	lost       []error
}

// holdFiles and holdRoots are names below the directory of the holders.
var (
	holdFiles = []string{"/x/y/1", "/x/y/2", "/x/z/3"}
	holdRoots = append([]string{"/x", "/x/y", "/x/z"}, holdFiles...)
)

// holder takes and releases locks until stop is closed.
func (l *holders) holder(ctx context.Context, stop <-chan struct{}, seed uint64, who int) {
	rng := rand.New(rand.NewPCG(seed, uint64(2000+who)))
	for count := 0; ; count++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rng.IntN(20)) * time.Millisecond):
		}
		h := hold{root: l.dir + holdRoots[rng.IntN(len(holdRoots))], shared: rng.IntN(3) == 0, deep: rng.IntN(3) > 0}
		l.hold(ctx, rng, h, fmt.Sprintf("h%d-%d", who, count))
	}
}

// hold takes a lock, and releases it after some time.
func (l *holders) hold(ctx context.Context, rng *rand.Rand, h hold, owner string) {
	header := map[string]string{"Depth": "0", "Timeout": fmt.Sprintf("Second-%d", int(lockedFor.Seconds()))}
	if h.deep {
		header["Depth"] = "infinity"
	}
	expires := l.clock.now() + int64(lockedFor)
	a := l.wire.send(ctx, longestRequest, acquire, h.root, header, lockBody(owner, h.shared))
	h.from = l.clock.now()
	if a.status != http.StatusOK {
		if a.status == 0 {
			pauseBriefly(ctx)
		}
		return
	}
	time.Sleep(time.Duration(rng.IntN(50)) * time.Millisecond)
	h.to = min(l.clock.now(), expires)
	a = l.wire.send(ctx, longestRequest, release, h.root, map[string]string{"Lock-Token": "<" + lockToken(a) + ">"}, "")
	ended := l.clock.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if h.from < h.to {
		l.holds = append(l.holds, h)
	}
	if a.status != 0 && a.status != http.StatusNoContent && ended < expires {
		l.lost = append(l.lost, fmt.Errorf("UNLOCK answers %d: %s: %s", a.status, h, a.body))
	}
}

// trespasser changes files without lock tokens until stop is closed.
func (l *holders) trespasser(ctx context.Context, stop <-chan struct{}, seed uint64, who int) {
	rng := rand.New(rand.NewPCG(seed, uint64(3000+who)))
	for count := 0; ; count++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rng.IntN(20)) * time.Millisecond):
		}
		one := trespass{name: l.dir + holdFiles[rng.IntN(len(holdFiles))], from: l.clock.now()}
		a := l.wire.send(ctx, longestRequest, put, one.name, nil, content(fmt.Sprintf("%d-%d", who, count), false))
		one.to = l.clock.now()
		if a.status == 0 {
			pauseBriefly(ctx)
		}
		if a.status == http.StatusNoContent {
			l.mu.Lock()
			l.trespasses = append(l.trespasses, one)
			l.mu.Unlock()
		}
	}
}

// check returns an error for each pair of conflicting locks, each change without a token, and each
// lock that was lost.
func (l *holders) check() (errs []error) {
	errs = append(errs, l.lost...)
	for i, h := range l.holds {
		for _, other := range l.holds[:i] {
			if h.conflicts(other) {
				errs = append(errs, fmt.Errorf("two conflicting locks at the same time: %v and %v", h, other))
			}
		}
		for _, one := range l.trespasses {
			if h.covers(one.name) && h.from < one.from && one.to < h.to {
				errs = append(errs, fmt.Errorf("a PUT of %s from %.4f to %.4f without the token of %v", one.name,
					time.Duration(one.from).Seconds(), time.Duration(one.to).Seconds(), h))
			}
		}
	}
	return errs
}

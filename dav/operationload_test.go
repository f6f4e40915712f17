package dav_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/storage/latency"
)

// loadClients is the number of simultaneous operations in TestLoad.
const loadClients = 500

// TestLoad runs 500 operations at once. Each client that asked gets every interim
// response on time, and its final response. Memory and goroutines stay within limits
// and are released.
func TestLoad(t *testing.T) {
	// The first run lets the runtime allocate goroutines that it reuses later.
	synctest.Test(t, func(t *testing.T) { underLoad(t) })
	before := heapAndGoroutines()
	var during resources
	synctest.Test(t, func(t *testing.T) { during = underLoad(t) })
	after := heapAndGoroutines()
	t.Logf("goroutines %d, %d, %d; heap %d, %d, %d KiB", before.goroutines, during.goroutines, after.goroutines,
		before.heap>>10, during.heap>>10, after.heap>>10)
	// The client, the connection, what reads ahead on it, the operation and its walk.
	if n := during.goroutines - before.goroutines; n < loadClients || n > 10*loadClients {
		t.Errorf("%d goroutines for %d operations", n, loadClients)
	}
	if used := int64(during.heap) - int64(before.heap); used > 200<<10*loadClients {
		t.Errorf("%d KiB for %d operations", used>>10, loadClients)
	}
	if after.goroutines > before.goroutines {
		t.Errorf("%d goroutines are left of %d", after.goroutines, before.goroutines)
	}
	// An operation that is not released holds more than 20 KiB.
	if left := int64(after.heap) - int64(before.heap); left > 8<<10*loadClients {
		t.Errorf("%d KiB are left", left>>10)
	}
}

// underLoad is the part of TestLoad in the bubble. It returns the resources in use
// while all operations were running.
func underLoad(t *testing.T) (during resources) {
	var mu sync.Mutex
	sent := make(map[string]int) // by Destination
	h := &dav.Handler{
		FileSystem: latency.New(plant(t), 7*time.Second),
		Interim: interim.Policy{Sent: func(r *http.Request, _ http.Header) {
			mu.Lock()
			defer mu.Unlock()
			sent[r.Header.Get("Destination")]++
		}},
	}
	server := serveBubble(t, h)
	loads := make(map[string]*load)
	var running sync.WaitGroup
	for i := range loadClients {
		l := &load{client: server.dial(), destination: fmt.Sprint("/dst", i)}
		loads[l.destination] = l
		running.Go(l.run)
	}
	ended := make(chan struct{})
	go func() {
		running.Wait()
		close(ended)
	}()
	during = watchLoads(t, h, loads, ended)
	mu.Lock()
	defer mu.Unlock()
	for destination, l := range loads {
		if err := l.check(sent[destination]); err != nil {
			t.Fatalf("%s: %v", destination, err)
		}
	}
	if n := len(h.Operations()); n != 0 {
		t.Errorf("%d operations are left", n)
	}
	return during
}

// watchLoads polls the operations until all have ended.
func watchLoads(t *testing.T, h *dav.Handler, loads map[string]*load, ended <-chan struct{}) (during resources) {
	t.Helper()
	ticker := time.NewTicker(700 * time.Millisecond)
	defer ticker.Stop()
	most := 0
	for {
		select {
		case <-ended:
			if most != loadClients {
				t.Errorf("%d operations were under way at once", most)
			}
			return during
		case now := <-ticker.C:
			list := h.Operations()
			for _, op := range list {
				l := loads[op.Destination]
				l.started = op.Started
				l.seen = append(l.seen, sight{now, op.Progress.Done})
			}
			if len(list) > most {
				most, during = len(list), heapAndGoroutines()
			}
		}
	}
}

// load is one operation and its client.
type load struct {
	client      *bubbleClient
	destination string

	started time.Time
	seen    []sight // from within the process
	told    []sight // by interim responses
	final   answer
	ended   time.Time
	err     error
}

// sight is a number of finished members at a certain time.
type sight struct {
	at   time.Time
	done int64
}

func (l *load) run() {
	l.client.ask("COPY /src", "Destination: "+l.destination, "Prefer: processing")
	for l.final = l.client.next(); l.final.status == http.StatusProcessing; l.final = l.client.next() {
		done, _, _ := strings.Cut(l.final.header.Get("Progress"), "/")
		n, err := strconv.ParseInt(done, 10, 64)
		if first := len(l.told) == 0; err != nil || first != (l.final.header.Get("Location") != "") {
			l.err = fmt.Errorf("interim response %d has %v", len(l.told), l.final.header)
		}
		l.told = append(l.told, sight{time.Now(), n})
	}
	l.ended = time.Now()
}

// check compares the interim responses with the progress seen in the process, by rule 4
// of [interim.Policy].
func (l *load) check(sent int) error {
	switch {
	case l.err != nil:
		return l.err
	case l.final.status != http.StatusCreated:
		return fmt.Errorf("it is answered %d", l.final.status)
	case len(l.told) != sent:
		return fmt.Errorf("%d interim responses were sent, %d have come", sent, len(l.told))
	case len(l.told) == 0 || !l.told[0].at.Equal(l.started):
		return fmt.Errorf("none has come at once: it began at %v, told is %v", l.started, l.told)
	}
	last := l.told[0]
	for _, told := range append(l.told[1:], sight{at: l.ended}) {
		gap, ended := told.at.Sub(last.at), told.at.Equal(l.ended)
		if gap > 20*time.Second || gap < l.interval(last.at) && !ended {
			return fmt.Errorf("between two are %v, at the age of %v", gap, last.at.Sub(l.started))
		}
		last = told
	}
	for _, seen := range l.seen {
		if due := seen.at.Add(l.interval(seen.at)); due.Before(l.ended) && l.toldBy(due) < seen.done {
			return fmt.Errorf("%d members were done at the age of %v, and told is %v", seen.done, seen.at.Sub(l.started), l.told)
		}
	}
	return nil
}

// interval returns the shortest time between two interim responses: one second, and
// more after the first minute.
func (l *load) interval(at time.Time) time.Duration {
	return max(at.Sub(l.started)/60, time.Second)
}

// toldBy returns the number of finished members that the client knew of at a time.
func (l *load) toldBy(at time.Time) int64 {
	var done int64
	for _, told := range l.told {
		if !told.at.After(at) {
			done = told.done
		}
	}
	return done
}

type resources struct {
	goroutines int
	heap       uint64
}

func heapAndGoroutines() resources {
	runtime.GC()
	runtime.GC() // a sync.Pool holds on to what is in it for one
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return resources{runtime.NumGoroutine(), memory.HeapAlloc}
}

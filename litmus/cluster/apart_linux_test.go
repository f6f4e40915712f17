package cluster

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// TestSeparateStates checks that the models find the faults of a wrong setup: two davds with
// separate states over one directory, which don't know each other's locks and properties.
func TestSeparateStates(t *testing.T) {
	needNamespaces(t)
	newNetwork(t, 2)
	s := newSite(t, 2, nil)
	s.plant(t, map[string]string{"registers/.keep": ""})
	s.start(t)
	startBalancer(t)
	errs := runRegisters(t, 3*time.Second)
	if len(errs) == 0 {
		t.Error("the models found no fault")
	}
	t.Logf("%d registers have impossible histories, as they should; the first: %.2000v", len(errs), errors.Join(errs[:min(1, len(errs))]...))
	s.stop(t)
}

// TestOneNode checks that the models find no fault in a single davd, which is killed.
func TestOneNode(t *testing.T) {
	needNamespaces(t)
	newNetwork(t, 1)
	chaos(t, newSite(t, 1, nil), 10*time.Second, true)
}

// runRegisters runs clients of registers for some time and checks what they saw.
func runRegisters(t *testing.T, length time.Duration) []error {
	t.Helper()
	w := newWire("http://" + balancerAddress)
	defer w.close()
	load := newRegisters(w, clock(time.Now()), "/registers", 4)
	stop := make(chan struct{})
	var clients sync.WaitGroup
	seed := newSeed(t)
	for who := range 6 {
		clients.Go(func() { load.client(context.Background(), stop, seed, who) })
	}
	time.Sleep(length)
	close(stop)
	clients.Wait()
	checked, inconclusive, errs := load.check(context.Background())
	t.Logf("%d requests, %d without a result; %d registers, %d inconclusive", load.sent.Load(), load.unknown.Load(), checked, inconclusive)
	return errs
}

package cluster

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage/storagetest/sweep"
)

// chaosLength returns how long the nodes fail: DAVD_CHAOS=10m, or short.
func chaosLength(t *testing.T, short time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv("DAVD_CHAOS")
	if text == "" {
		return short
	}
	length, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return length
}

// A load is all clients of a run.
type load struct {
	registers  *registers
	pairs      *pairs
	holders    *holders
	operations *operations
	programs   *programs // nil without background load
}

// newLoad creates the directories that the clients need.
func newLoad(t *testing.T, s *site) *load {
	t.Helper()
	files := map[string]string{"registers/.keep": "", "operations/.keep": "", "pairs/.keep": ""}
	for _, name := range holdFiles {
		files["holders"+name] = ""
	}
	for i := range operationFiles {
		files[fmt.Sprintf("source/%d/%d", i/40, i)] = strings.Repeat("x", 1000)
	}
	s.plant(t, files)
	w, c := newWire("http://"+balancerAddress), clock(time.Now())
	t.Cleanup(w.close)
	return &load{
		registers: newRegisters(w, c, "/registers", 4),
		pairs:     &pairs{site: s, wire: w, clock: c, dir: "/pairs"},
		holders:   &holders{wire: w, clock: c, dir: "/holders"},
		operations: &operations{
			wire: w, source: "/source", dir: "/operations", ends: map[string]int{},
			size: operationFiles + (operationFiles+39)/40 + 1,
		},
	}
}

// operationFiles is the number of files that each operation copies.
const operationFiles = 400

// run runs all clients until stop is closed.
func (l *load) run(stop <-chan struct{}, seed uint64) (errs []error) {
	ctx := context.Background()
	var clients sync.WaitGroup
	var mu sync.Mutex
	for who := range 4 {
		clients.Go(func() { l.registers.client(ctx, stop, seed, who) })
	}
	for who := range 2 {
		clients.Go(func() {
			if err := l.pairs.client(ctx, stop, seed, who); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
		clients.Go(func() { l.holders.holder(ctx, stop, seed, who) })
	}
	clients.Go(func() { l.holders.trespasser(ctx, stop, seed, 0) })
	clients.Go(func() { l.operations.client(ctx, stop, seed, 0) })
	if l.programs != nil {
		clients.Go(func() { l.programs.clients(stop) })
	}
	clients.Wait()
	return errs
}

// check checks what the clients were told.
func (l *load) check(t *testing.T, s *site) {
	t.Helper()
	ctx := context.Background()
	registers, inconclusive, errs := l.registers.check(ctx)
	more, pairErrs := l.pairs.check(ctx)
	inconclusive += more
	errs = append(errs, pairErrs...)
	errs = append(errs, l.holders.check()...)
	errs = append(errs, l.operations.errs...)
	if l.programs != nil {
		errs = append(errs, l.programs.check(s)...)
		t.Logf("programs: %v; %d files stored; failures: %v", l.programs.runs, len(l.programs.stored), l.programs.said)
	}
	for _, err := range errs[:min(len(errs), 10)] {
		t.Errorf("%.8000v", err)
	}
	t.Logf("%d registers: %d requests, %d without a result", registers, l.registers.sent.Load(), l.registers.unknown.Load())
	t.Logf("%d pairs: %d changes, %d repeated; %d reads", len(l.pairs.all), l.pairs.changes.Load(), l.pairs.repeated.Load(), l.pairs.reads.Load())
	t.Logf("%d locks held, %d changes beside them; %d operations accepted, ended %v", len(l.holders.holds), len(l.holders.trespasses), l.operations.accepted, l.operations.ends)
	if inconclusive > 0 {
		t.Errorf("%d checks took too long", inconclusive)
	}
}

// remains are queries of what must not be left in the database when all changes have ended.
var remains = []string{
	"SELECT 'work', * FROM work",
	"SELECT 'claims', * FROM claims",
	// The last node that leaves can't sweep its own.
	"SELECT 'strays', * FROM strays WHERE epoch NOT IN (SELECT epoch FROM nodes) AND EXISTS (SELECT FROM nodes)",
	"SELECT 'operations', id, node FROM operations WHERE ended IS NULL",
}

// clean waits until nothing is left over.
func (s *site) clean(t *testing.T) {
	t.Helper()
	err := await(time.Minute, nil, func() error {
		names, err := s.storage.leftovers()
		if err == nil && len(names) > 0 {
			err = fmt.Errorf("left over: %q", names)
		}
		if err != nil || s.database == nil {
			return err
		}
		for _, query := range remains {
			rows, err := s.database.query(query)
			if err == nil && len(rows) > 0 {
				err = fmt.Errorf("left over: %q", rows)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// left checks that all nodes have left the cluster.
func (s *site) left(t *testing.T) {
	t.Helper()
	if s.database == nil {
		return
	}
	if rows, err := s.database.query("SELECT * FROM nodes"); err != nil || len(rows) > 0 {
		t.Errorf("nodes that have not left: %q, %v", rows, err)
	}
}

// chaos lets the nodes of s fail while clients work, and checks what they were told.
func chaos(t *testing.T, s *site, length time.Duration, background bool) {
	t.Helper()
	seed := newSeed(t)
	s.start(t)
	startBalancer(t)
	l := newLoad(t, s)
	if background {
		l.programs = newPrograms(t, s)
	}
	stopFaults, stopLoad := make(chan struct{}), make(chan struct{})
	f := newFaults(t, s, stopFaults, seed)
	var faulty, loaded sync.WaitGroup
	var faultErr error
	var loadErrs []error
	steady := func() {}
	if s.unsteady != nil {
		steady = s.unsteady(seed)
	}
	loaded.Go(func() { loadErrs = l.run(stopLoad, seed) })
	faulty.Go(func() { faultErr = f.run() })
	time.Sleep(length)
	close(stopFaults)
	faulty.Wait()
	steady()
	time.Sleep(2 * time.Second)
	close(stopLoad)
	loaded.Wait()
	t.Logf("%v: %v", length, f)
	if faultErr != nil {
		t.Error(faultErr)
	}
	for _, err := range loadErrs {
		t.Error(err)
	}
	l.check(t, s)
	s.clean(t)
	s.stop(t)
	s.clean(t)
	s.left(t)
}

func newSeed(t *testing.T) uint64 {
	t.Helper()
	return sweep.Random(t).Uint64()
}

// TestChaos lets three nodes fail: for 45 s, or for as long as DAVD_CHAOS says.
func TestChaos(t *testing.T) {
	needNamespaces(t)
	newNetwork(t, maxNodes)
	chaos(t, newSite(t, maxNodes, newDatabase(t)), chaosLength(t, 45*time.Second), true)
}

// TestObjectChaos is TestChaos with files in S3, which fails too.
func TestObjectChaos(t *testing.T) {
	needNamespaces(t)
	newNetwork(t, maxNodes)
	s, b := newObjectSite(t, maxNodes)
	s.unsteady = b.fail
	chaos(t, s, chaosLength(t, 30*time.Second), true)
	t.Logf("%d requests to S3, faults: %v", b.sent.Load(), b)
}

// TestObjectLitmus is TestLitmus with files in S3.
func TestObjectLitmus(t *testing.T) {
	needNamespaces(t)
	newNetwork(t, maxNodes)
	s, _ := newObjectSite(t, maxNodes)
	litmus(t, s)
}

// TestLitmus runs litmus through HAProxy, which gives each request to another one of three nodes.
func TestLitmus(t *testing.T) {
	needNamespaces(t)
	newNetwork(t, maxNodes)
	litmus(t, newSite(t, maxNodes, newDatabase(t)))
}

func litmus(t *testing.T, s *site) {
	t.Helper()
	s.start(t)
	startBalancer(t)
	runLitmus(t)
	s.stop(t)
	s.clean(t)
	s.left(t)
}

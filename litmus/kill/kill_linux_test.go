package kill

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/storage/storagetest/sweep"
)

var (
	seedFlag  = flag.Uint64("kill.seed", 0, "the `seed` of what is random; 0: DAVD_SEED or random")
	killsFlag = flag.Int("kill.kills", 0, "the `number` of kills on each filesystem; 0: 200 with DAVD_SWEEP=1, else a few")
)

// kills returns how often davd is killed on each filesystem.
func kills(sample int) int {
	switch {
	case *killsFlag > 0:
		return *killsFlag
	case sweep.All():
		return 200
	}
	return sample
}

func newSeed(t *testing.T) uint64 {
	t.Helper()
	if *seedFlag > 0 {
		return *seedFlag
	}
	return sweep.Random(t).Uint64()
}

// A trial is a davd that is killed again and again.
type trial struct {
	*site
	model    *model
	seeded   uint64
	rng      *rand.Rand
	choosers []*chooser
	killed   int // the number of kills
	starting int // how many of them were before davd was ready
	startup  time.Duration
	// disturb, if not nil, is called before davd starts, and each time before clients begin.
	disturb func()
	// relieve, if not nil, makes room on a full disk, so that davd can start. unready
	// counts how often that was needed.
	relieve func()
	unready int
	// unmodelled is the view of the contended collection after the last restart.
	unmodelled view
}

// bodySizes are the sizes of bodies, in bytes. davd reads bodies of up to 64 KiB in one piece.
var bodySizes = []int{0, 1, 100, 4 << 10, 20 << 10, 70 << 10, 300 << 10}

func newTrial(s *site, seed uint64) *trial { return newTrialOf(s, seed, bodySizes) }

func newTrialOf(s *site, seed uint64, sizes []int) *trial {
	tr := &trial{site: s, model: newModel(), seeded: seed, rng: rand.New(rand.NewPCG(seed, 0))}
	for who := range clients {
		tr.choosers = append(tr.choosers, newChooser(seed, who+1, sizes))
	}
	return tr
}

// seed returns the initial files of the share, and adds them to the model.
func (tr *trial) seed() map[string]string {
	files := map[string]string{raceLock: ""}
	for _, a := range tr.model.areas {
		a.now.resources[a.root] = resource{collection: true}
		for d := range 2 {
			dir := fmt.Sprintf("%s/d%d", a.root, d)
			a.now.resources[dir] = resource{collection: true}
			for f := range 5 {
				name := fmt.Sprintf("%s/f%d", dir, f)
				files[name] = strings.Repeat("seed "+name, 100)
				a.now.resources[name] = resource{content: files[name]}
			}
		}
	}
	return files
}

// plant writes files to the directory share.
func plant(share string, files map[string]string) error {
	for name, content := range files {
		path := filepath.Join(share, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// run kills davd n times and checks what it has kept.
func (tr *trial) run(ctx context.Context, n int) error {
	begin := time.Now()
	if err := tr.start(); err != nil {
		return err
	}
	tr.startup = time.Since(begin)
	if err := tr.verify(ctx); err != nil {
		return err
	}
	for tr.killed < n {
		if err := tr.round(ctx); err != nil {
			return fmt.Errorf("kill %d: %w\nwhat davd wrote:\n%s", tr.killed, err, tr.output)
		}
	}
	if err := tr.stop(); err != nil {
		return err
	}
	seen := newView()
	seen.resources["/"] = resource{collection: true}
	seen.add(tr.unmodelled)
	for _, a := range tr.model.areas {
		seen.add(a.now)
	}
	return tr.onDisk(seen)
}

// longestRound is the longest time before davd is killed.
const longestRound = 250 * time.Millisecond

// round lets the clients work, kills davd, starts it again and verifies the result.
func (tr *trial) round(ctx context.Context) error {
	tr.model.killed.Store(false)
	var workers sync.WaitGroup
	errs := make([]error, clients)
	for who := range clients {
		workers.Go(func() {
			errs[who] = tr.model.change(ctx, newWire(tr.url), tr.choosers[who], who)
		})
	}
	if tr.disturb != nil {
		tr.disturb()
	}
	time.Sleep(time.Duration(tr.rng.Int64N(int64(longestRound))))
	tr.model.killed.Store(true)
	tr.kill()
	tr.killed++
	workers.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	tr.model.history.note(fmt.Sprintf("-- kill %d", tr.killed))
	if err := tr.restart(); err != nil {
		return err
	}
	return tr.verify(ctx)
}

// restart starts davd. Sometimes it kills davd before it is ready, and starts it again.
func (tr *trial) restart() error {
	if tr.disturb != nil {
		tr.disturb()
	}
	for tr.rng.IntN(3) == 0 {
		if err := tr.begin(); err != nil {
			return err
		}
		time.Sleep(time.Duration(tr.rng.Int64N(int64(tr.startup))))
		tr.kill()
		tr.killed++
		tr.starting++
		tr.model.history.note(fmt.Sprintf("-- kill %d, while it starts", tr.killed))
	}
	err := tr.start()
	if err == nil || tr.relieve == nil {
		return err
	}
	// davd may need room to start. With enough room, it must start.
	tr.unready++
	tr.relieve()
	return tr.start()
}

// verify compares davd and the disk with the model.
func (tr *trial) verify(ctx context.Context) error {
	w := newWire(tr.url)
	defer w.close()
	got, err := w.look(ctx, "/")
	if err != nil {
		return err
	}
	err = errors.Join(tr.model.check(got), tr.onDisk(got), tr.model.contention.settle(ctx, w, got))
	tr.unmodelled = got.within(contended)
	return err
}

// report prints what was done.
func (tr *trial) report(t *testing.T) {
	t.Helper()
	m := tr.model
	t.Logf("seed %d: %d kills, %d of them while davd started; requests: %d acknowledged, %d refused, %d without room, %d cut off by a kill",
		tr.seeded, tr.killed, tr.starting, m.acknowledged.Load(), m.refused.Load(), m.full.Load(), m.unanswered.Load())
	if tr.unready > 0 {
		t.Logf("davd did not start %d times until there was room", tr.unready)
	}
}

// testKills kills davd n times on the disk.
func testKills(t *testing.T, disk mounted, n int) {
	t.Helper()
	s := newSite(t, disk.dir)
	s.watch = watchRest(t, disk.mounts...)
	testTrial(t, newTrial(s, newSeed(t)), n)
}

func testTrial(t *testing.T, tr *trial, n int) {
	t.Helper()
	s, seed := tr.site, tr.seeded
	files := tr.seed()
	// If the share is an overlay, its lower layer already has them. Then don't write them to
	// the upper one.
	if _, err := os.Stat(filepath.Join(s.share, "a0")); err != nil {
		if err := plant(s.share, files); err != nil {
			t.Fatal(err)
		}
	}
	defer tr.report(t)
	if err := tr.run(t.Context(), n); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	s.watch.none(t)
}

// TestKill kills davd on each filesystem.
func TestKill(t *testing.T) {
	for _, f := range filesystems {
		if n := kills(f.sample); n > 0 {
			t.Run(f.name, func(t *testing.T) { testKills(t, f.mount(t), n) })
		}
	}
}

package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"golang.org/x/net/webdav"
)

var propertyConcurrencyChecks = []propertyCheck{
	{"ConcurrentTrees", concurrentTrees},
	{"ConcurrentPatches", concurrentPatches},
	{"ConcurrentMoves", concurrentMoves},
}

// all runs task once for each worker, concurrently.
func (f *propertyFixture) all(task func(worker int) error) {
	f.t.Helper()
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			if err := task(worker); err != nil {
				f.t.Errorf("worker %d: %v", worker, err)
			}
		})
	}
	group.Wait()
}

// concurrentTrees lets each worker change its own tree at random, sometimes with a context
// that ends, and compares the tree with the worker's oracle. The names of the trees are
// neighbours in every sort order.
func concurrentTrees(f *propertyFixture) {
	oracles := make([]properties, workers)
	f.all(func(worker int) error {
		w := &propertyWorker{
			propertyFixture: f, home: fmt.Sprintf("/%x", worker), oracle: properties{},
			random: rand.New(rand.NewPCG(uint64(worker), 1)),
		}
		oracles[worker] = w.oracle
		for range rounds {
			if err := w.step(); err != nil {
				return err
			}
		}
		return nil
	})
	for worker, oracle := range oracles {
		for name, props := range oracle {
			f.want[name] = props
		}
		f.asked = append(f.asked, fmt.Sprintf("/%x", worker), fmt.Sprintf("/%x/a/b", worker))
	}
}

// propertyWorker changes the tree home, which no other worker changes.
type propertyWorker struct {
	*propertyFixture
	home   string
	oracle properties
	random *rand.Rand
}

// step makes one change to the store and, if it succeeds, to the oracle. Then it compares the
// two.
func (w *propertyWorker) step() error {
	names := []string{"", "/a", "/a/b", "/a/b/c", "/a/c", "/ab", "/a0", "/b", "/b/b", "/b/b/c", "/b/c"}
	for i := range names {
		names[i] = w.home + names[i]
	}
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	ends := w.random.IntN(4) == 0
	if ends {
		go cancel()
	}
	err := w.change(ctx, names)
	if err != nil && !ends {
		return err
	}
	found, err := w.read(names...)
	if err != nil {
		return err
	}
	w.oracle.compare(w.t, found)
	name := names[w.random.IntN(len(names))]
	anything, err := w.Any(w.ctx, name)
	if want := w.oracle.any(name); err == nil && anything != want {
		err = fmt.Errorf("Any(%q) = %v, want %v", name, anything, want)
	}
	return err
}

func (w *propertyWorker) change(ctx context.Context, names []string) error {
	pick := func() string { return names[w.random.IntN(len(names))] }
	name := pick()
	value := property(string(rune('p'+w.random.IntN(3))), name)
	switch w.random.IntN(8) {
	case 0:
		err := w.Remove(ctx, name)
		if err == nil {
			w.oracle.remove(name)
		}
		return err
	case 1, 2:
		src, dst := w.home+"/a", w.home+"/b"
		err := w.Move(ctx, src, dst)
		if err == nil {
			w.oracle.copy(src, dst, false)
			w.oracle.remove(src)
		}
		return err
	case 3:
		src, dst, zeroDepth := w.home+"/b", w.home+"/a", w.random.IntN(2) == 0
		err := w.Copy(ctx, src, dst, zeroDepth)
		if err == nil {
			w.oracle.copy(src, dst, zeroDepth)
		}
		return err
	default:
		patches := []webdav.Proppatch{unset(property("q", "")), set(value, property("z", "z"))}
		err := w.Patch(ctx, name, patches)
		if err == nil {
			w.oracle.patch(name, patches...)
		}
		return err
	}
}

// concurrentPatches lets all workers set the same two properties of one resource to the same
// value. A reader must never see two different values.
func concurrentPatches(f *propertyFixture) {
	f.all(func(worker int) error {
		for round := range rounds {
			value := fmt.Sprintf("%d.%d", worker, round)
			if err := f.Patch(f.ctx, "/a", []webdav.Proppatch{set(property("p", value)), set(property("q", value))}); err != nil {
				return err
			}
			found, err := f.read("/a")
			if err != nil {
				return err
			}
			if got := found["/a"]; len(got) != 2 || !bytes.Equal(got[0].InnerXML, got[1].InnerXML) {
				return fmt.Errorf("only half of a patch is visible: %v", got)
			}
		}
		return nil
	})
	found, err := f.read("/a")
	f.succeeds(err)
	f.want.patch("/a", set(found["/a"]...))
}

// concurrentMoves lets all workers move the same tree. It must always be complete and in one
// place.
func concurrentMoves(f *propertyFixture) {
	names := []string{"/a", "/b", "/c/d"}
	f.plant("/a", "/a/x", "/a/x/y")
	var mu sync.Mutex // Moving a source without properties would clear those of the destination.
	moveFrom := func(src, dst string) error {
		mu.Lock()
		defer mu.Unlock()
		if anything, err := f.Any(f.ctx, src); err != nil || !anything {
			return err
		}
		return f.Move(f.ctx, src, dst)
	}
	f.all(func(worker int) error {
		for round := range rounds {
			src := worker + round
			if err := moveFrom(names[src%3], names[(src+1+round%2)%3]); err != nil {
				return err
			}
			anything, err := f.Any(f.ctx, "/")
			if err != nil {
				return err
			}
			if !anything {
				return errors.New("during a move, no name has properties")
			}
		}
		return nil
	})
	for _, name := range names {
		anything, err := f.Any(f.ctx, name)
		f.succeeds(err)
		if anything && name != "/a" {
			f.want.copy("/a", name, false)
			f.want.remove("/a")
		}
	}
	f.asked = names
}

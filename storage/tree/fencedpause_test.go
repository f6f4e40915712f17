package tree_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest/sweep"
	"github.com/davd/davd/storage/tree"
)

// fencing is one case of a change that a node makes on a storage.
type fencing struct {
	change
	title string
	of    func(storage.FS) storage.FS
	was   layout
	steps int
}

// fencings returns all cases, with the number of steps that each takes.
func fencings(t *testing.T) (all []fencing) {
	t.Helper()
	for _, s := range storages {
		for _, k := range changes() {
			if s.name != "exchange" && k.name != "COPY" && k.name != "MOVE" || s.name == "EXDEV" && k.name == "COPY" {
				continue
			}
			layouts, names := k.cases()
			for i, was := range layouts {
				f := fencing{change: k, title: s.name + "/" + names[i], of: s.of, was: was}
				p := newPause(0, false)
				n := newNode(t, newShare(t, was), "A", &works{owner: "A"}, f.of, p.step)
				if _, err := f.run(t.Context(), n); err != nil {
					t.Fatal(f.title, err)
				}
				n.close()
				f.steps = p.now
				all = append(all, f)
			}
		}
	}
	return all
}

// running is a change of a node that has begun.
type running struct {
	*node
	*pause
	// ended is closed at the end. result and err are those of the change, and acknowledged says
	// that its claim has ended with it.
	ended        chan struct{}
	result       tree.Result
	err          error
	acknowledged bool
}

// begin lets the node A make the change f, until the step at.
func (f *fencing) begin(t *testing.T, dir string, w *works, at int, dies bool) *running {
	t.Helper()
	p := newPause(at, dies)
	r := &running{node: newNode(t, dir, "A", w, f.of, p.step), pause: p, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.result, r.err = f.run(context.Background(), r.node)
		if r.result != "" {
			r.acknowledged = r.journal.end(r.result) == nil
		}
	}()
	r.await(t)
	return r
}

// recovering lets the node take over, until its step at.
func recovering(t *testing.T, n *node, p *pause) *running {
	t.Helper()
	r := &running{node: n, pause: p, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.result, r.err = n.recover(context.Background())
	}()
	r.await(t)
	return r
}

// await waits until the node stands still or has ended.
func (r *running) await(t *testing.T) {
	t.Helper()
	select {
	case <-r.reached:
		if r.dies {
			r.finish(t)
		}
	case <-r.ended:
	case <-time.After(time.Minute):
		t.Fatal("stuck")
	}
}

// finish lets the node go on, and waits for its end.
func (r *running) finish(t *testing.T) {
	t.Helper()
	if !r.dies {
		close(r.resume)
	}
	select {
	case <-r.ended:
	case <-time.After(time.Minute):
		t.Fatal("stuck")
	}
}

// outcome says how the tree differs from what result says; "" if it doesn't.
func (f *fencing) outcome(result tree.Result, is layout) string {
	switch result {
	case tree.Finished:
		return told("finished", diff(is, f.want(f.was)))
	case tree.Undone:
		return told("undone", diff(is, f.was))
	}
	return "neither finished nor undone: " + string(result)
}

func free(string) error { return nil }

// TestPausedNode pauses a node before each of its calls of the storage and of the Journal. Another
// node takes over and makes changes of the same names, and then the first one continues. Or it is
// killed instead.
func TestPausedNode(t *testing.T) {
	t.Parallel()
	for _, f := range fencings(t) {
		t.Run(f.title, func(t *testing.T) {
			t.Parallel()
			for _, dies := range []bool{false, true} {
				for _, at := range sweep.Steps(t, f.steps+2, 3) {
					for _, then := range sweep.Sample(t, later, 1) {
						f.pausedAt(t, at, dies, then.name, then.do)
					}
				}
			}
		})
	}
}

func (f *fencing) pausedAt(t *testing.T, at int, dies bool, name string, then func(t *testing.T, dir string)) {
	t.Helper()
	dir := newShare(t, f.was)
	w := &works{owner: "A"}
	a := f.begin(t, dir, w, at, dies)
	defer a.close()
	complain := func(problem string) {
		if problem != "" {
			t.Errorf("%s, at step %d of %d, dies %v, then %s: %s\n\t%s", f.title, at, f.steps, dies, name, problem, strings.Join(a.log, "\n\t"))
		}
	}
	b := newNode(t, dir, "B", w, f.of, free)
	defer b.close()
	result, err := b.recover(t.Context())
	if err != nil {
		complain("recovery: " + err.Error())
	}
	acknowledged := a.acknowledged
	if acknowledged {
		result = a.result
	}
	complain(f.outcome(result, look(t, dir).seen()))
	then(t, dir)
	was := look(t, dir).seen()
	if !dies {
		a.finish(t)
	}
	is := look(t, dir)
	complain(told("after the other node continued", diff(is, was)))
	if a.acknowledged && !acknowledged {
		complain("it was acknowledged after it had been taken over")
	}
}

// TestPausedRecovery pauses the node that takes over as well. A third one takes over from it, and
// then the others continue.
func TestPausedRecovery(t *testing.T) {
	t.Parallel()
	for _, f := range fencings(t) {
		t.Run(f.title, func(t *testing.T) {
			t.Parallel()
			for _, at := range sweep.Steps(t, f.steps, 2) {
				steps := f.recoverySteps(t, at)
				for _, second := range sweep.Steps(t, steps, 2) {
					then := later[1+(at+second)%(len(later)-1)]
					f.pausedTwice(t, at, second, at%2 == 0, then.name, then.do)
				}
			}
		})
	}
}

// recoverySteps returns how many steps a recovery takes if a node was paused at the step.
func (f *fencing) recoverySteps(t *testing.T, at int) int {
	t.Helper()
	dir := newShare(t, f.was)
	w := &works{owner: "A"}
	a := f.begin(t, dir, w, at, false)
	defer a.close()
	p := newPause(0, false)
	b := newNode(t, dir, "B", w, f.of, p.step)
	defer b.close()
	if _, err := b.recover(t.Context()); err != nil {
		t.Error(err)
	}
	a.finish(t)
	return p.now
}

func (f *fencing) pausedTwice(t *testing.T, at, second int, firstFirst bool, name string, then func(t *testing.T, dir string)) {
	t.Helper()
	dir := newShare(t, f.was)
	w := &works{owner: "A"}
	a := f.begin(t, dir, w, at, false)
	defer a.close()
	p := newPause(second, false)
	b := recovering(t, newNode(t, dir, "B", w, f.of, p.step), p)
	defer b.close()
	c := newNode(t, dir, "C", w, f.of, free)
	defer c.close()
	complain := func(problem string) {
		if problem != "" {
			t.Errorf("%s, at steps %d and %d, %v, then %s: %s\nA:\t%s\nB:\t%s", f.title, at, second, firstFirst, name, problem,
				strings.Join(a.log, "\n\t"), strings.Join(b.log, "\n\t"))
		}
	}
	result, err := c.recover(t.Context())
	if err != nil {
		complain("recovery: " + err.Error())
	}
	if w.outcome != "" {
		result = w.outcome
	}
	complain(f.outcome(result, look(t, dir).seen()))
	then(t, dir)
	was := look(t, dir).seen()
	if firstFirst {
		a.finish(t)
		b.finish(t)
	} else {
		b.finish(t)
		a.finish(t)
	}
	complain(told("after the others continued", diff(look(t, dir), was)))
	if result != w.outcome {
		complain("its outcome was changed")
	}
}

// TestFencedFaults lets each call fail once: before it has an effect, or after it.
func TestFencedFaults(t *testing.T) {
	t.Parallel()
	for _, f := range fencings(t) {
		t.Run(f.title, func(t *testing.T) {
			t.Parallel()
			for _, at := range sweep.Steps(t, f.steps, 4) {
				f.failsAt(t, at)
			}
		})
	}
}

var errFault = errors.New("fault")

func (f *fencing) failsAt(t *testing.T, at int) {
	t.Helper()
	dir := newShare(t, f.was)
	w := &works{owner: "A"}
	p := newPause(0, false)
	var steps atomic.Int64 // Workers copy at the same time.
	n := newNode(t, dir, "A", w, f.of, func(call string) error {
		_ = p.step(call)
		if steps.Add(1) == int64(at) {
			return errFault
		}
		return nil
	})
	defer n.close()
	result, err := f.run(t.Context(), n)
	if result == "" {
		b := newNode(t, dir, "B", w, f.of, free)
		defer b.close()
		if result, err = b.recover(t.Context()); err != nil {
			t.Error(err)
		}
	}
	is := look(t, dir)
	if partial, ok := errors.AsType[*tree.PartialError](err); ok && partial.Placed {
		if names := is.reserved(); names != nil {
			t.Errorf("%s, fault at step %d of %d, error %v: %q left", f.title, at, f.steps, err, names)
		}
		return // That its members are right does not depend on the Fence.
	}
	if _, leftover := errors.AsType[*tree.LeftoverError](err); leftover {
		is = is.seen()
	}
	if problem := f.outcome(result, is); problem != "" {
		t.Errorf("%s, fault at step %d of %d, error %v: %s\n%s", f.title, at, f.steps, err, problem, strings.Join(p.log, "\n"))
	}
}

// TestPausedRecoveries pauses two nodes that take over one from the other. The first of them
// continues while the second stands still.
func TestPausedRecoveries(t *testing.T) {
	t.Parallel()
	for _, f := range fencings(t) {
		t.Run(f.title, func(t *testing.T) {
			t.Parallel()
			random := sweep.Random(t)
			for range sweep.Size(4, 400) {
				f.pausedThrice(t, 1+random.IntN(f.steps), 1+random.IntN(20), 1+random.IntN(20), random.IntN(2) == 0)
			}
		})
	}
}

func (f *fencing) pausedThrice(t *testing.T, at, second, third int, firstToo bool) {
	t.Helper()
	dir := newShare(t, f.was)
	w := &works{owner: "A"}
	a := f.begin(t, dir, w, at, false)
	defer a.close()
	p, q := newPause(second, false), newPause(third, false)
	b := recovering(t, newNode(t, dir, "B", w, f.of, p.step), p)
	defer b.close()
	c := recovering(t, newNode(t, dir, "C", w, f.of, q.step), q)
	defer c.close()
	if firstToo {
		a.finish(t)
	}
	b.finish(t)
	c.finish(t)
	if !firstToo {
		a.finish(t)
	}
	problem := f.outcome(w.outcome, look(t, dir))
	if c.err != nil {
		problem += c.err.Error()
	}
	if problem != "" {
		t.Errorf("%s, at steps %d, %d and %d, %v: %s\nA:\t%s\nB:\t%s\nC:\t%s", f.title, at, second, third, firstToo, problem,
			strings.Join(a.log, "\n\t"), strings.Join(b.log, "\n\t"), strings.Join(c.log, "\n\t"))
	}
}

package tree_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/davd/davd/storage/tree"
)

// flaky is a Journal and a Follower. Their changes fail from the n-th on, for as long
// as fails returns true.
type flaky struct {
	memJournal
	follows
	n     int64
	calls atomic.Int64
	heals bool
}

func newFlaky(n int64) *flaky {
	f := &flaky{n: n}
	f.fail = f.failure
	return f
}

func (f *flaky) failure() error {
	if f.calls.Add(1) > f.n && !f.heals {
		return syscall.EIO
	}
	return nil
}

func (f *flaky) Follow(ctx context.Context, e tree.Entry, whole bool) error {
	if err := f.failure(); err != nil {
		return err
	}
	return f.follows.Follow(ctx, e, whole)
}

// TestPersist: wherever Journal and Follower begin to fail, either nothing is changed,
// or the operation waits until they work again and then completes.
func TestPersist(t *testing.T) {
	waited := 0
	for _, op := range operations() {
		for _, d := range destinations {
			for n := range int64(8) {
				fsys := backends[1].open(t)
				build(t, fsys, sweepSource)
				build(t, fsys, d.old)
				was := snapshot(t, fsys)
				f := newFlaky(n)
				persist := func(attempt int, err error) bool {
					if !errors.Is(err, syscall.EIO) {
						t.Errorf("%s: asked about %v", op.name, err)
					}
					waited++
					f.heals = attempt == 2
					return true
				}
				err := engineRun(t.Context(), op, tree.Engine{FS: op.of(fsys), Journal: f, Follower: f, Persist: persist})
				is, want := snapshot(t, fsys), was
				if err == nil {
					want = op.want(was)
				} else if len(f.ids) > 0 {
					for _, stage := range is.reserved() {
						is = is.without(stage) // The next start removes it.
					}
				}
				if changed := diff(is, want); changed != "" || err == nil && (len(f.ids) > 0 || len(f.done) != 1) {
					t.Errorf("%s, %s, failing after %d changes: error %v, records %q, followed %q%s", op.name, d.name, n, err, f.ids, f.done, changed)
				}
			}
		}
	}
	if waited == 0 {
		t.Error("it has never waited")
	}
}

// urgentJournal remembers which states were saved urgently.
type urgentJournal struct {
	memJournal
	urgent, others []string
}

func (j *urgentJournal) SaveUrgent(ctx context.Context, id string, record []byte) error {
	j.urgent = append(j.urgent, stateOf(record))
	return j.memJournal.SaveRecord(ctx, id, record)
}

func (j *urgentJournal) SaveRecord(ctx context.Context, id string, record []byte) error {
	j.others = append(j.others, stateOf(record))
	return j.memJournal.SaveRecord(ctx, id, record)
}

// TestUrgentRecords: records of a DELETE, and those after a commit point, may use the
// space that the Journal has reserved. Earlier records may not.
func TestUrgentRecords(t *testing.T) {
	fsys := backends[1].open(t)
	build(t, fsys, layout{"/src/f": "1", "/dst/f": "2"})
	j, f := &urgentJournal{}, &follows{}
	e := tree.Engine{FS: fsys, Journal: j, Follower: f}
	noError(t, e.Copy(t.Context(), "/src", "/dst", tree.Infinite, nil))
	noError(t, e.Remove(t.Context(), "/src", nil))
	if want := []string{"staging", "placing"}; !slices.Equal(j.others, want) {
		t.Errorf("the records of %q are as others, want %q", j.others, want)
	}
	if want := []string{"removing"}; !slices.Equal(j.urgent, want) {
		t.Errorf("the records of %q are urgent, want %q", j.urgent, want)
	}
}

func stateOf(record []byte) string {
	var entry struct {
		State string `json:"state"`
	}
	_ = json.Unmarshal(record, &entry)
	return entry.State
}

package dav_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// smallDisk returns a directory on a small filesystem of its own.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size)
	if errors.Is(err, syscall.EPERM) {
		t.Skip("only root mounts a filesystem")
	}
	must(t, err)
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// fillDisk fills the disk that holds dir except for free bytes, and returns a function
// that undoes that.
func fillDisk(t *testing.T, dir string, free int64) (undo func()) {
	t.Helper()
	var stat unix.Statfs_t
	must(t, unix.Statfs(dir, &stat))
	name := filepath.Join(dir, "others")
	file, err := os.Create(name)
	must(t, err)
	block := make([]byte, 4096)
	for left := int64(stat.Bavail)*stat.Bsize - free; left > 0; left -= int64(len(block)) {
		if _, err := file.Write(block); err != nil && !storage.NoSpace(err) {
			t.Fatal(err)
		}
	}
	must(t, file.Close())
	return func() { must(t, os.Remove(name)) }
}

// fullCase is a sequence of requests while the disk with the state has little room.
type fullCase struct {
	free      int64
	furnished bool // with properties and locks
	reopened  bool // after a restart the log is new, and has no space to reuse
	requests  []keptRequest
}

func (c fullCase) String() string {
	return fmt.Sprintf("%d bytes free, furnished %t, reopened %t, %v", c.free, c.furnished, c.reopened, c.requests)
}

// givesBack reports whether r must succeed without any free space.
func (r keptRequest) givesBack() bool { return r.method == "DELETE" || r.method == "UNLOCK" }

// run sends the requests. It compares each answer with the share, the properties and
// the locks: immediately, with free space again, and after a restart.
func (c fullCase) run(t *testing.T, disk string) {
	t.Helper()
	s := &keptSite{t: t, share: t.TempDir(), state: disk}
	if len(c.requests) > 2 {
		s.tenant = "tenant"
	}
	s.open()
	defer func() { s.close() }()
	want := s.furnish(c.furnished)
	if c.reopened {
		s.close()
		s.open()
	}
	undo := fillDisk(t, disk, c.free)
	for i, r := range c.requests {
		var status int
		status, want = s.perform(r, want)
		done := status/100 == 2
		switch {
		case i > 0 && status/100 == 4: // an earlier request has removed or created it
		case !done && status != http.StatusInsufficientStorage:
			t.Errorf("%v: %v is answered %d", c, r, status)
		case !done && i == 0 && r.givesBack():
			t.Errorf("%v: %v is answered %d, must work on a full disk", c, r, status)
		}
		if !s.check(fmt.Sprintf("%v: %v was answered %d", c, r, status), want) {
			break
		}
	}
	undo()
	s.check(fmt.Sprintf("%v: with room again", c), want)
	s.close()
	s.open()
	s.check(fmt.Sprintf("%v: after a restart", c), want)
	left, err := s.db.LoadRecords(t.Context())
	if err != nil || len(left) > 0 {
		t.Errorf("%v: the journal has still %q (%v)", c, left, err)
	}
}

// TestFullStateDisk: whatever the free space for the state, each answer is true, both
// immediately and after a restart, and nothing is lost.
func TestFullStateDisk(t *testing.T) {
	disk := smallDisk(t, "6m")
	var cases []fullCase
	for free := int64(0); free <= 1<<20; free += step(free) {
		for _, furnished := range []bool{false, true} {
			for _, r := range fullRequests(furnished) {
				for _, reopened := range []bool{false, true} {
					cases = append(cases, fullCase{free, furnished, reopened, []keptRequest{r}})
				}
			}
		}
	}
	runFull(t, disk, cases, 24)
}

// step returns how much more space the next case has. It is small around the limits.
func step(free int64) int64 {
	if free < 256<<10 {
		return 8 << 10
	}
	return 32 << 10
}

// TestFullStateSequences: the same holds for long sequences of requests.
func TestFullStateSequences(t *testing.T) {
	disk := smallDisk(t, "6m")
	random := sweep.Random(t)
	cases := make([]fullCase, 500)
	for i := range cases {
		cases[i] = fullCase{free: random.Int64N(300) << 10, furnished: random.IntN(4) > 0, reopened: random.IntN(2) > 0}
		requests := fullRequests(cases[i].furnished)
		for range 2 + random.IntN(12) {
			cases[i].requests = append(cases[i].requests, requests[random.IntN(len(requests))])
		}
	}
	runFull(t, disk, cases, 6)
}

// runFull runs some of the cases, or all in a sweep.
func runFull(t *testing.T, disk string, cases []fullCase, some int) {
	t.Helper()
	for _, c := range sweep.Sample(t, cases, some) {
		c.run(t, disk)
		must(t, emptyDir(disk))
		if t.Failed() {
			return // the first failure is enough
		}
	}
}

func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	return err
}

// thief fills the disk that holds dir, and takes all space that becomes free, until it
// is stopped and frees everything.
func thief(t *testing.T, dir string) (stop func()) {
	t.Helper()
	name := filepath.Join(dir, "thief")
	file, err := os.Create(name)
	must(t, err)
	done, ended, full := make(chan struct{}), make(chan struct{}), make(chan struct{})
	filled := sync.OnceFunc(func() { close(full) })
	go func() {
		defer close(ended)
		block := make([]byte, 4096)
		for {
			select {
			case <-done:
				return
			default:
				if _, err := file.Write(block); err != nil {
					filled()
				}
			}
		}
	}()
	<-full
	return sync.OnceFunc(func() {
		close(done)
		<-ended
		must(t, errors.Join(file.Close(), os.Remove(name)))
	})
}

// TestThief: another program takes all space on the disk with the state as soon as it
// is free, even the space that davd has kept in reserve. An operation that has changed
// the share then waits for space, and its answer is true.
func TestThief(t *testing.T) {
	disk := smallDisk(t, "6m")
	waited := 0
	for range sweep.Size(1, 20) {
		for _, r := range fullRequests(true) {
			if robbed(t, disk, r) {
				waited++
			}
			must(t, emptyDir(disk))
		}
	}
	t.Logf("%d operations have waited", waited)
}

// robbedState is a database whose disk a thief fills right before properties follow.
type robbedState struct {
	*sqlstate.DB
	rob func()
}

func (s robbedState) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	s.rob()
	return s.DB.Copy(ctx, src, dst, zeroDepth)
}

func (s robbedState) Move(ctx context.Context, src, dst string) error {
	s.rob()
	return s.DB.Move(ctx, src, dst)
}

func (s robbedState) Remove(ctx context.Context, name string) error {
	s.rob()
	return s.DB.Remove(ctx, name)
}

// robbed performs r, and reports whether r has waited for space.
func robbed(t *testing.T, disk string, r keptRequest) (waited bool) {
	t.Helper()
	s := &keptSite{t: t, share: t.TempDir(), state: disk}
	waits := make(chan struct{}, 1000)
	s.log = func(operation.Operation, error) { waits <- struct{}{} }
	s.open()
	defer func() { s.close() }()
	was := s.furnish(true)
	for _, name := range []string{"/a", "/c/f"} {
		// This is more than the log has space for.
		_, was = s.perform(keptRequest{method: "PROPPATCH", src: name, content: strings.Repeat("large", 400)}, was)
	}
	s.close()
	// The log is new, and has no space to reuse.
	steal := sync.OnceValue(func() func() { return thief(t, disk) })
	s.wrap = func(db *sqlstate.DB) keptState { return robbedState{db, func() { steal() }} }
	s.open()
	answered := make(chan struct{})
	var status int
	want := was
	go func() {
		defer close(answered)
		status, want = s.perform(r, was)
	}()
	select {
	case <-answered:
	case <-waits:
		waited = true
	}
	steal()()
	<-answered
	if status/100 != 2 && (waited || status != http.StatusInsufficientStorage) {
		t.Errorf("%v is answered %d, waited %t", r, status, waited)
	}
	s.check(fmt.Sprintf("%v was answered %d", r, status), want)
	s.close()
	s.open()
	s.check(fmt.Sprintf("%v was answered %d, after a restart", r, status), want)
	return waited
}

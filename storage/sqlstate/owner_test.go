package sqlstate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/davd/davd/storage/lock"
)

// isChild is set in the environment of a child process, which uses the database
// childName in its working directory.
const (
	isChild   = "SQLSTATE_CHILD"
	childName = "state.db"
)

// TestChild is the child process: as long as it lives it changes the database, and it
// prints the number of each change that was acknowledged.
func TestChild(t *testing.T) {
	if os.Getenv(isChild) == "" {
		return // This is an ordinary test run.
	}
	db := openAt(t, childName)
	first, err := db.LoadLocks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := len(first); ; n++ {
		name := fmt.Sprintf("/new/%d", n)
		patch(t, db, name, aProperty)
		if err := db.Move(t.Context(), name, fmt.Sprintf("/kept/%d", n)); err != nil {
			t.Fatal(err)
		}
		if err := db.SaveLock(t.Context(), lock.Lock{Token: strconv.Itoa(n), Root: "/", Duration: lock.Infinite}); err != nil {
			t.Fatal(err)
		}
		fmt.Println(n)
	}
}

// child is a process that uses a database.
type child struct {
	*exec.Cmd
	out *bufio.Reader
}

// startChild starts a child on the database childName in dir.
func startChild(t *testing.T, dir string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestChild$", "-test.timeout=60s")
	cmd.Env, cmd.Dir = append(os.Environ(), isChild+"=1"), dir
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &child{cmd, bufio.NewReader(out)}
}

// acknowledged reads the number of the next change; -1 at the end.
func (c *child) acknowledged(t *testing.T) int {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if errors.Is(err, io.EOF) {
		return -1 // The last line may be incomplete.
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatalf("the child says %q", line)
	}
	return n
}

// kill kills the child and returns the number of the last change.
func (c *child) kill(t *testing.T, last int) int {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for n := last; n >= 0; n = c.acknowledged(t) {
		last = n
	}
	var exit *exec.ExitError
	if err := c.Wait(); !errors.As(err, &exit) {
		t.Errorf("the child ended with %v", err)
	}
	return last
}

// TestKilled kills a process in the middle of its changes, several times, and finds
// each change that was acknowledged.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	for range 8 {
		c := startChild(t, dir)
		last := c.acknowledged(t)
		for range rand.IntN(40) {
			last = c.acknowledged(t)
		}
		last = c.kill(t, last)

		db, err := Open(t.Context(), filepath.Join(dir, childName))
		if err != nil {
			t.Fatal(err)
		}
		checkKept(t, db, last)
		closeDB(t, db)
	}
}

func checkKept(t *testing.T, db *DB, last int) {
	t.Helper()
	locks, err := db.LoadLocks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(locks) <= last {
		t.Errorf("%d locks, %d were acknowledged", len(locks), last+1)
	}
	for n := range last + 1 {
		wantProperty(t, db, fmt.Sprintf("/kept/%d", n), string(aProperty.InnerXML))
	}
	var sound string
	if err := db.reader.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("integrity_check: %q, %v", sound, err)
	}
}

// TestInUse: a database has one owner, under whatever name it is opened.
func TestInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := openAt(t, path)
	fill(t, db)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "dir")
	if err := os.Symlink(filepath.Dir(path), dir); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, filepath.Dir(path))
	for _, name := range []string{path, link, filepath.Join(dir, "state.db")} {
		if _, err := Open(t.Context(), name); err == nil || !strings.Contains(err.Error(), "in use by another davd") {
			t.Errorf("%s: error %v, want one that says that it is in use", name, err)
		}
	}
	if after := snapshot(t, filepath.Dir(path)); !maps.Equal(before, after) {
		t.Error("the refused have changed something")
	}
	wantProperty(t, db, "/a", "value")
	reopen(t, db)
}

// TestInUseByProcess: the right to use a database ends with the process.
func TestInUseByProcess(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, childName)
	c := startChild(t, dir)
	last := c.acknowledged(t)
	_, err := Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "in use by another davd") || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that says that it is in use", err)
	}
	last = c.kill(t, last)
	checkKept(t, openAt(t, path), last)
}

// TestInUseOnce: if many try at the same time, one gets the database. This holds again
// and again, although each owner removes the lock file.
func TestInUseOnce(t *testing.T) {
	path := made(t)
	var owners, had atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				o, err := own(path)
				if err != nil {
					continue
				}
				if had.Add(1); owners.Add(1) != 1 {
					t.Error("two owners")
				}
				owners.Add(-1)
				if err := o.release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if had.Load() == 0 {
		t.Error("nobody got it")
	}
	if _, err := os.Lstat(path + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock's file: %v, want it gone", err)
	}
}

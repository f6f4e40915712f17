//go:build unix

package dav_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
	"github.com/davd/davd/storage/uploads"
)

// victimTask is the environment variable with the task of a victim: a process of this
// test that serves one request and is killed at one of its steps.
const victimTask = "DAVD_TEST_VICTIM"

func TestMain(m *testing.M) {
	if task := os.Getenv(victimTask); task != "" {
		if err := beVictim(task); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// victim is a server on dir that handles one request.
type victim struct {
	Dir string // share and state.db are in it
	Way string
	// Shares are the directories of the shares /a and /b; nil for one share.
	Shares []string
	Step   int64 // before which it is killed; 0: never
	// Requests are served after the recovery.
	Requests []victimRequest
}

type victimRequest struct {
	Method string
	Path   string
	Header map[string]string
	Body   string
}

// beVictim runs the victim. If the victim is not killed, it prints the number of steps
// and the status.
func beVictim(task string) error {
	var v victim
	if err := json.Unmarshal([]byte(task), &v); err != nil {
		return err
	}
	var steps atomic.Int64
	site, err := v.open(func() {
		if steps.Add(1) == v.Step {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	if err != nil {
		return err
	}
	status := 0
	if _, err := site.Recover(context.Background()); err != nil {
		return err
	}
	for _, task := range v.Requests {
		r := httptest.NewRequest(task.Method, task.Path, strings.NewReader(task.Body))
		for key, value := range task.Header {
			r.Header.Set(key, value)
		}
		w := httptest.NewRecorder()
		site.ServeHTTP(w, r)
		status = w.Code
	}
	fmt.Println(steps.Load(), status)
	return nil
}

// open opens the share or the shares.
func (v victim) open(step func()) (*dav.Handler, error) {
	if v.Shares != nil {
		site, err := openShares(v.Dir, v.Shares[0], v.Shares[1], step)
		if err != nil {
			return nil, err
		}
		return site.Handler, nil
	}
	site, err := openSite(v.Dir, v.Way, step)
	if err != nil {
		return nil, err
	}
	return site.Handler, nil
}

// site is a Handler with its share and state.
type site struct {
	*dav.Handler
	db    *sqlstate.DB
	local *local.FS
	locks *lock.System
}

// openSite opens the share and the state in dir as after a restart. step is
// called before each step that changes something.
func openSite(dir, way string, step func()) (*site, error) {
	fsys, err := local.Open(filepath.Join(dir, "share"))
	if err != nil {
		return nil, err
	}
	db, err := sqlstate.Open(context.Background(), filepath.Join(dir, "state.db"))
	if err != nil {
		return nil, err
	}
	kept := steppedState{db: db, step: step}
	locks, err := lock.New(context.Background(), lock.Options{Store: kept})
	if err != nil {
		return nil, err
	}
	s := &site{db: db, local: fsys, locks: locks}
	s.Handler = &dav.Handler{
		FileSystem: stepped(fsys, way, step), State: &parts{State: db, locks: locks, properties: kept, journal: kept, history: history.NewMem(), uploads: kept},
	}
	return s, nil
}

func (s *site) close() error { return errors.Join(s.db.Close(), s.local.Close()) }

// ways are the abilities of storage to rename. The first name of a rename or an
// exchange is known.
var ways = map[string]func(op, name string) error{
	"exchange": func(string, string) error { return nil },
	"two renames": func(op, _ string) error {
		if op == "exchange" {
			return errors.ErrUnsupported
		}
		return nil
	},
	"across filesystems": func(_, name string) error {
		if name == "/src" {
			return &os.LinkError{Op: "rename", Err: syscall.EXDEV}
		}
		return nil
	},
	"across, two renames": func(op, name string) error {
		switch {
		case op == "exchange":
			return errors.ErrUnsupported
		case name == "/src":
			return &os.LinkError{Op: "rename", Err: syscall.EXDEV}
		}
		return nil
	},
	"no rename": func(string, string) error { return errors.ErrUnsupported },
}

// changing are the calls of the storage that change something.
var changing = []string{"mkdir", "open", "write", "rename", "exchange", "remove", "removeall", "settimes", "commit"}

// stepped returns fsys with a call of step before each call that changes something.
func stepped(fsys storage.FS, way string, step func()) storage.FS {
	return &storagetest.Fault{FS: fsys, Before: func(op, name string) error {
		if op == "rename" || op == "exchange" {
			if err := ways[way](op, name); err != nil {
				return err
			}
		}
		if slices.Contains(changing, op) {
			step()
		}
		return nil
	}}
}

// steppedState is the state with a step before and after each change.
type steppedState struct {
	db   *sqlstate.DB
	step func()
}

var (
	_ deadprops.Store = steppedState{}
	_ lock.Store      = steppedState{}
	_ tree.Journal    = steppedState{}
)

func (s steppedState) did(change func() error) error {
	s.step()
	err := change()
	s.step()
	return err
}

func (s steppedState) LoadLocks(ctx context.Context) ([]lock.Lock, error) { return s.db.LoadLocks(ctx) }

func (s steppedState) SaveLock(ctx context.Context, l lock.Lock) error {
	return s.did(func() error { return s.db.SaveLock(ctx, l) })
}

func (s steppedState) DeleteLocks(ctx context.Context, tokens ...string) error {
	return s.did(func() error { return s.db.DeleteLocks(ctx, tokens...) })
}

func (s steppedState) Any(ctx context.Context, name string) (bool, error) { return s.db.Any(ctx, name) }

func (s steppedState) Read(ctx context.Context, query deadprops.Query) (map[string][]webdav.Property, *deadprops.Next, error) {
	return s.db.Read(ctx, query)
}

func (s steppedState) MayCopy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return s.db.MayCopy(ctx, src, dst, zeroDepth)
}

func (s steppedState) Patch(ctx context.Context, name string, patches []webdav.Proppatch) error {
	return s.did(func() error { return s.db.Patch(ctx, name, patches) })
}

func (s steppedState) Move(ctx context.Context, src, dst string) error {
	return s.did(func() error { return s.db.Move(ctx, src, dst) })
}

func (s steppedState) Copy(ctx context.Context, src, dst string, zeroDepth bool) error {
	return s.did(func() error { return s.db.Copy(ctx, src, dst, zeroDepth) })
}

func (s steppedState) Remove(ctx context.Context, name string) error {
	return s.did(func() error { return s.db.Remove(ctx, name) })
}

func (s steppedState) SaveRecord(ctx context.Context, id string, record []byte) error {
	return s.did(func() error { return s.db.SaveRecord(ctx, id, record) })
}

func (s steppedState) DeleteRecord(ctx context.Context, id string) error {
	return s.did(func() error { return s.db.DeleteRecord(ctx, id) })
}

func (s steppedState) LoadRecords(ctx context.Context) ([][]byte, error) {
	return s.db.LoadRecords(ctx)
}

func (s steppedState) AllUploads(ctx context.Context) ([]uploads.Session, error) {
	return s.db.AllUploads(ctx)
}

func (s steppedState) SaveUpload(ctx context.Context, u uploads.Session) error {
	return s.did(func() error { return s.db.SaveUpload(ctx, u) })
}

func (s steppedState) DeleteUpload(ctx context.Context, id string) error {
	return s.did(func() error { return s.db.DeleteUpload(ctx, id) })
}

// parseSteps parses the output of beVictim.
func parseSteps(out string) (steps, status int, err error) {
	count, code, _ := strings.Cut(strings.TrimSpace(out), " ")
	steps, err = strconv.Atoi(count)
	if err == nil {
		status, err = strconv.Atoi(code)
	}
	return steps, status, err
}

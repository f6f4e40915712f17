package dav_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/sqlstate"
	"github.com/davd/davd/storage/storagetest"
)

// watchedHistory is a history in memory that records writes and can fail.
type watchedHistory struct {
	history.Mem
	mu     sync.Mutex
	saved  []string // method and state
	broken error
	slow   time.Duration
}

func (w *watchedHistory) SaveOperations(ctx context.Context, records ...history.Record) error {
	time.Sleep(w.slow)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.broken
	}
	for _, r := range records {
		w.saved = append(w.saved, r.Method+" "+string(r.State))
	}
	return w.Mem.SaveOperations(ctx, records...)
}

// written returns the records that were saved.
func (w *watchedHistory) written() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.saved)
}

func (w *watchedHistory) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = err
}

// TestHistoryWrites: which records are written, and when, depending on how long an
// operation takes and which preferences its client sends.
func TestHistoryWrites(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name, line, prefer string
		takes              time.Duration
		want               string
	}{
		{"short", "COPY /src", "", s, ""},
		{"very short, asked: the end", "COPY /src", "processing", s / 20, "COPY finished"},
		{"short, asked: soon, and the end", "COPY /src", "processing", s, "COPY running, COPY finished"},
		{"long, asked: soon, and each five seconds", "COPY /src", "processing", 6 * s, "COPY running, COPY running, COPY finished"},
		{"short, a PROPFIND", "PROPFIND /src", "processing", s, ""},
		{"long: each five seconds", "COPY /src", "", 12 * s, "COPY running, COPY running, COPY finished"},
		{"long, a PROPFIND", "PROPFIND /src", "", 7 * s, "PROPFIND running, PROPFIND finished"},
		{"long, a probe", "COPY /.davd-probe?seconds=12", "", s, ""},
		{"accepted: before the 202", "COPY /src", "respond-async", s, "COPY running, COPY finished"},
		{"asked and accepted: soon, and before the 202", "COPY /src", "processing, respond-async, wait=2", 3 * s, "COPY running, COPY running, COPY finished"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kept := &watchedHistory{}
				h := &dav.Handler{State: stateOf(t, parts{history: kept})}
				server, g := inBubble(t, h)
				time.AfterFunc(c.takes, g.open)
				client := server.dial()
				fields := []string{"Destination: /dst"}
				if c.prefer != "" {
					fields = append(fields, "Prefer: "+c.prefer)
				}
				if a := client.gets(c.line, fields...); a.status == 202 && len(kept.written()) == 0 {
					t.Error("nothing was written before the 202")
				}
				time.Sleep(time.Minute)
				if got := strings.Join(kept.written(), ", "); got != c.want {
					t.Errorf("written: %s; want %s", got, c.want)
				}
			})
		})
	}
}

// TestHistoryBroken: a record that can't be written is kept in memory until it can be,
// and the operator is told.
func TestHistoryBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errFull := errors.New("full")
		var told atomic.Int32
		kept := &watchedHistory{broken: errFull}
		h := &dav.Handler{State: stateOf(t, parts{history: kept}), OperationLogger: func(op operation.Operation, err error) {
			if errors.Is(err, errFull) && op.Source == "/src" {
				told.Add(1)
			}
		}}
		s, g := inBubble(t, h)
		client, location := underWay(s, g, "COPY /src", "Destination: /dst")
		g.open()
		client.final()
		time.Sleep(12 * time.Second)
		reader := s.dial()
		if status := reader.status(location); status.State != "finished" || told.Load() == 0 {
			t.Errorf("state %s, told %d times", status.State, told.Load())
		}
		if _, err := kept.LoadOperation(t.Context(), strings.TrimPrefix(location, "/.davd-operations/")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is kept: %v", err)
		}
		kept.fail(nil)
		time.Sleep(6 * time.Second)
		if _, err := kept.LoadOperation(t.Context(), strings.TrimPrefix(location, "/.davd-operations/")); err != nil {
			t.Error(err)
		}
		reader.status(location)
	})
}

// TestHistoryShutdown: Shutdown returns when all records are written.
func TestHistoryShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &watchedHistory{slow: 2 * time.Second}
		h := &dav.Handler{State: stateOf(t, parts{history: kept})}
		s, g := inBubble(t, h)
		g.open()
		client := s.dial()
		client.ask("COPY /src", "Destination: /dst", "Prefer: processing")
		client.final()
		if err := h.Shutdown(t.Context()); err != nil || len(kept.written()) != 1 {
			t.Errorf("%v, and %q is written", err, kept.written())
		}
	})
}

// TestHistoryBounded: a thousand records of one principal are kept.
func TestHistoryBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &watchedHistory{}
		s, g := inBubble(t, &dav.Handler{State: stateOf(t, parts{history: kept})})
		g.open()
		client := s.dial()
		for range 1200 {
			client.ask("COPY /src/a.txt", "X-User: a", "Destination: /dst", "Prefer: processing")
			client.final()
		}
		synctest.Wait()
		if list, err := kept.ListOperations(t.Context(), "a"); len(list) > 1100 || len(list) < 1000 || err != nil {
			t.Errorf("%d are kept, %v", len(list), err)
		}
	})
}

// crashSite is a Handler on the files and the state that a killed process left in dir.
func crashSite(t *testing.T, dir, state string) (*dav.Handler, *gate) {
	t.Helper()
	fsys, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	db, err := sqlstate.Open(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	g := newGate(fsys)
	g.waiting = make(chan struct{}, 1000)
	return &dav.Handler{FileSystem: g, State: db, Principal: byHeader}, g
}

// crash returns a copy of a database in the state that a crash would leave now.
func crash(t *testing.T, state string) string {
	t.Helper()
	found := filepath.Join(t.TempDir(), "state.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(state + suffix)
		if err == nil {
			err = os.WriteFile(found+suffix, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func newServer(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

// TestHistoryInterrupted: after a crash, the status document of an operation that was
// answered 202 says that it was interrupted, and what happened to it.
func TestHistoryInterrupted(t *testing.T) {
	for _, c := range []struct {
		line, destination string
		opened            bool // it ended before the crash, but the database doesn't know
		recovery, reason  string
	}{
		{"COPY /src", "/dst", false, "undone", "the server stopped while the operation was under way; it was rolled back at the next start"},
		{"DELETE /src", "", false, "", "the server stopped while the operation was under way; what it had removed is gone"},
		{"MOVE /src", "/dst", true, "", "the server stopped while the operation was under way, or just after it; the operation was completed"},
		{"DELETE /src", "", true, "", "the server stopped while the operation was under way, or just after it; the operation was completed"},
	} {
		t.Run(fmt.Sprint(c.line, " ", c.opened), func(t *testing.T) {
			dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state.db")
			h, g := crashSite(t, dir, state)
			storagetest.WriteTree(t, g.FS, storagetest.Tree{"/src": "/", "/src/a.txt": "a", "/src/c": "/", "/src/c/b.txt": "b"})
			h.FileSystem = &storagetest.Fault{FS: g, Before: func(op, _ string) error {
				switch op {
				case "copymembers", "removemembers", "remove", "removeall", "rename", "exchange":
					return g.pass(context.Background())
				}
				return nil
			}}
			s := &share{TB: t, fsys: g.FS, h: h}
			s.server = newServer(t, h)
			t.Cleanup(g.open)
			g.close()
			a := s.do(strings.Fields(c.line)[0], "/src", "X-User: a", "Destination: /dst", "Prefer: respond-async, wait=0")
			location := a.header.Get("Location")
			if a.status != 202 {
				t.Fatalf("answered %d", a.status)
			}
			<-g.waiting
			found := crash(t, state)
			if c.opened {
				g.open()
				if err := h.Shutdown(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			h2, _ := crashSite(t, dir, found)
			if _, err := h2.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			s2 := &share{TB: t, h: h2}
			s2.server = newServer(t, h2)
			got := s2.do("GET", location, "X-User: a")
			if !strings.Contains(got.body, `"state":"interrupted"`) || !strings.Contains(got.body, `"reason":"`+c.reason+`"`) || strings.Contains(got.body, `"recovery"`) != (c.recovery != "") ||
				!strings.Contains(got.body, c.recovery) || !strings.Contains(got.body, `"status":null`) {
				t.Errorf("%d %s", got.status, got.body)
			}
			if a := s2.do("GET", location, "X-User: b"); a.status != 404 {
				t.Errorf("somebody else gets %d", a.status)
			}
			if a := s2.do("DELETE", location, "X-User: a"); a.status != 204 {
				t.Errorf("forgetting is %d", a.status)
			}
		})
	}
}

// TestHistoryRestart: after a restart, finished operations have the same status
// documents.
func TestHistoryRestart(t *testing.T) {
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state.db")
	h, g := crashSite(t, dir, state)
	storagetest.WriteTree(t, g.FS, storagetest.Tree{"/src": "/", "/src/a.txt": "a"})
	s := &share{TB: t, h: h}
	s.server = newServer(t, h)
	location := s.do("COPY", "/src", "X-User: a", "Destination: /dst", "Prefer: respond-async, wait=0").header.Get("Location")
	if err := h.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := s.do("GET", location, "X-User: a").body
	if !strings.Contains(before, `"state":"finished"`) {
		t.Errorf("before: %s", before)
	}
	h2, _ := crashSite(t, dir, crash(t, state))
	if _, err := h2.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	s2 := &share{TB: t, h: h2}
	s2.server = newServer(t, h2)
	if after := s2.do("GET", location, "X-User: a").body; after != before {
		t.Errorf("after: %s\nbefore: %s", after, before)
	}
}

package operation

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/storage/history"
)

// TestJoin: identical requests share one operation, and all get its answer.
func TestJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, runs := newSite(), 0
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if a := s.copies(t.Context(), "", time.Minute, &runs); a.Code != http.StatusCreated {
					t.Errorf("status %d", a.Code)
				}
			})
		}
		time.Sleep(time.Second)
		if list := s.Operations(); len(list) != 1 || list[0].Source != "/a" || list[0].Status != 0 {
			t.Errorf("running: %+v", list)
		}
		wg.Wait()
		synctest.Wait()
		if runs != 1 || len(s.claims.held) != 0 || len(s.claims.answers) != 0 || len(s.running)+len(s.byKey) != 0 {
			t.Errorf("%d runs; left: %d claims, %d answers, %d operations", runs, len(s.claims.held), len(s.claims.answers), len(s.running)+len(s.byKey))
		}
	})
}

// TestKeptAnswer: an answer that its client could not get is kept for a repetition of the
// request, for some time and as long as the storage agrees.
func TestKeptAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		wait      time.Duration
		change    bool
		disagrees bool
		runs      int
	}{
		"repeated":                 {wait: time.Second, runs: 1},
		"too late":                 {wait: answerKept + time.Minute, runs: 2},
		"after a change":           {wait: time.Second, change: true, runs: 2},
		"the storage is different": {wait: time.Second, disagrees: true, runs: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, runs := newSite(), 0
				s.disagrees = c.disagrees
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				s.copies(ctx, "", time.Minute, &runs) // continues without its client
				synctest.Wait()
				if len(s.logs) != 0 {
					t.Errorf("logged although a request waited: %v", s.logs)
				}
				time.Sleep(c.wait)
				if c.change {
					release, err := s.claims.Acquire(t.Context(), "", Scope{Name: "/b/new"})
					if err != nil {
						t.Fatal(err)
					}
					release()
				}
				if a := s.copies(t.Context(), "", 0, &runs); a.Code != http.StatusCreated || runs != c.runs {
					t.Errorf("status %d after %d runs, want %d runs", a.Code, runs, c.runs)
				}
				if s.copies(t.Context(), "", 0, &runs); runs != c.runs+1 {
					t.Error("a delivered answer is still kept")
				}
			})
		})
	}
}

// TestCancelWhenGone: an operation stops with its last client if the server wants that.
func TestCancelWhenGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, runs := newSite(), 0
		s.cancels = true
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { s.copies(ctx, "", time.Hour, &runs) })
		start := time.Now()
		time.Sleep(time.Second)
		joined, leave := context.WithCancel(t.Context())
		wg.Go(func() { s.copies(joined, "", time.Hour, &runs) })
		time.Sleep(time.Second)
		cancel()
		time.Sleep(time.Second)
		if len(s.Operations()) != 1 {
			t.Error("it does not wait for the client that joined")
		}
		leave()
		wg.Wait()
		synctest.Wait()
		if took := time.Since(start); took != 3*time.Second || len(s.logs) != 1 || !errors.Is(s.logs[0], context.Canceled) {
			t.Errorf("stopped after %v; logged: %v", took, s.logs)
		}
	})
}

// TestAccepted: a client that prefers respond-async gets a 202 with the address of the
// status document, which exists in the history at once and has the result at the end. The
// operation continues even if the server usually stops one whose last client disconnects.
func TestAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, runs := newSite(), 0
		s.cancels = true
		start := time.Now()
		a := s.copies(t.Context(), "respond-async, wait=3", time.Minute, &runs)
		location := a.Header().Get("Location")
		if took := time.Since(start); a.Code != http.StatusAccepted || took != 3*time.Second || a.Header().Get("Preference-Applied") != "respond-async, wait=3" {
			t.Fatalf("status %d after %v, %v", a.Code, took, a.Header())
		}
		if r, err := s.records.LoadOperation(t.Context(), path.Base(location)); err != nil || r.State != history.Running {
			t.Errorf("recorded: %+v, %v", r, err)
		}
		if got := s.gets(t, http.MethodGet, location, ""); !strings.Contains(got.Body.String(), `"state":"running"`) || a.Body.String() == "" {
			t.Errorf("document %s", got.Body)
		}
		joined, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		s.copies(joined, "", time.Hour, &runs)
		time.Sleep(time.Minute)
		if got := s.gets(t, http.MethodGet, location, ""); !strings.Contains(got.Body.String(), `"state":"finished"`) || !strings.Contains(got.Body.String(), `"status":201`) {
			t.Errorf("document %s", got.Body)
		}
		synctest.Wait()
		if len(s.byID) != 0 || len(s.logs) != 1 || s.logs[0] != nil || len(s.claims.answers) != 0 {
			t.Errorf("%d operations and %d answers are left; logged %v", len(s.byID), len(s.claims.answers), s.logs)
		}
	})
}

// TestStop: DELETE of a document stops a running operation, and then removes the record.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, runs := newSite(), 0
		location := s.copies(t.Context(), "respond-async", time.Hour, &runs).Header().Get("Location")
		for _, c := range []struct {
			method string
			status int
			has    string
		}{
			{http.MethodGet, 200, `"state":"running"`},
			{http.MethodDelete, 204, ""},
			{http.MethodGet, 200, `"state":"stopped"`},
			{http.MethodDelete, 204, ""},
			{http.MethodGet, 404, errNoOperation.Reason},
			{http.MethodPut, 405, ""},
		} {
			if a := s.gets(t, c.method, location, ""); a.Code != c.status || !strings.Contains(a.Body.String(), c.has) {
				t.Errorf("%s: %d %s, want %d %s", c.method, a.Code, a.Body, c.status, c.has)
			}
		}
		if _, err := s.records.LoadOperation(t.Context(), path.Base(location)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the record is left: %v", err)
		}
	})
}

// TestOperatorStops: an operator gets an ID for each running operation and can stop it. The reason
// is logged once.
func TestOperatorStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, runs := newSite(), 0
		go s.copies(t.Context(), "", time.Hour, &runs)
		synctest.Wait()
		running := s.Documented()
		if len(running) != 1 || running[0].ID == "" || running[0].Method != "COPY" || running[0].Stopping {
			t.Fatalf("running are %+v", running)
		}
		var cause error
		for op := range s.running {
			context.AfterFunc(op.ctx, func() { cause = context.Cause(op.ctx) })
		}
		if err := s.Stop(t.Context(), running[0].ID); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if cause == nil || cause.Error() != "stopped on request" {
			t.Errorf("the cause is %v", cause)
		}
		if err := s.Stop(t.Context(), "other"); !errors.Is(err, errNoOperation) {
			t.Errorf("stopping what does not run: %v", err)
		}
		if left := s.Documented(); len(left) != 0 {
			t.Errorf("still running are %+v", left)
		}
	})
}

// TestOtherPrincipal: to another principal, an operation does not exist.
func TestOtherPrincipal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, runs := newSite(), 0
		location := s.copies(t.Context(), "respond-async", time.Minute, &runs).Header().Get("Location")
		list := "/" + Name + "/"
		if a := s.gets(t, http.MethodGet, list, ""); !strings.Contains(a.Body.String(), path.Base(location)) {
			t.Errorf("the owner's list is %s", a.Body)
		}
		s.Access = fixedAccess{principal: "bob"}
		for range 2 {
			if a := s.gets(t, http.MethodGet, location, ""); a.Code != http.StatusNotFound {
				t.Errorf("status %d", a.Code)
			}
			if a := s.gets(t, http.MethodGet, list, ""); a.Body.String() != `{"operations":[]}`+"\n" {
				t.Errorf("another principal's list is %s", a.Body)
			}
			time.Sleep(2 * time.Minute) // then only the record is left
		}
	})
}

// TestEvents: a stream of events ends with the operation.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, runs := newSite(), 0
		location := s.copies(t.Context(), "respond-async", time.Minute, &runs).Header().Get("Location")
		a := s.gets(t, http.MethodGet, location, eventsType)
		body := a.Body.String()
		if strings.Count(body, "event: progress\n") != 1 || strings.Count(body, "event: end\n") != 1 || strings.Count(body, ":\n\n") != 3 {
			t.Errorf("events: %s", body)
		}
		if !strings.HasSuffix(body, "\n\n") || !strings.Contains(body, `"state":"finished"`) {
			t.Errorf("the end: %s", body)
		}
	})
}

// TestRecords: an operation that takes long has a record, a short one has none unless a
// client knows its address, and records that can't be written are written later.
func TestRecords(t *testing.T) {
	for name, c := range map[string]struct {
		takes   time.Duration
		broken  time.Duration
		records int
	}{
		"short":         {takes: time.Second},
		"long":          {takes: time.Minute, records: 1},
		"broken":        {takes: time.Minute, broken: 90 * time.Second, records: 1},
		"broken before": {takes: time.Minute, broken: 20 * time.Second, records: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, runs := newSite(), 0
				if c.broken > 0 {
					s.records.fail(errFull)
					time.AfterFunc(c.broken, func() { s.records.fail(nil) })
				}
				s.copies(t.Context(), "", c.takes, &runs)
				time.Sleep(time.Minute)
				list, err := s.records.AllOperations(t.Context())
				if len(list) != c.records || err != nil {
					t.Fatalf("records: %+v, %v", list, err)
				}
				if len(list) > 0 && (list[0].State != history.Finished || list[0].Status != http.StatusCreated) {
					t.Errorf("record %+v", list[0])
				}
				synctest.Wait()
				if len(s.byID)+len(s.recorder.unwritten)+len(s.recorder.queue) != 0 {
					t.Error("operations are left in memory")
				}
				if told := len(s.logs) > 0; told != (c.broken > 0) {
					t.Errorf("logged: %v", s.logs)
				}
			})
		})
	}
}

// TestShutdown: Shutdown stops operations that take too long. Then there are no new ones.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, runs := newSite(), 0
		location := s.copies(t.Context(), "respond-async", time.Hour, &runs).Header().Get("Location")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown returned %v", err)
		}
		<-s.Halting()
		if r, err := s.records.LoadOperation(t.Context(), path.Base(location)); err != nil || r.State != history.Stopped || r.Status != http.StatusServiceUnavailable {
			t.Errorf("record %+v, %v", r, err)
		}
		synctest.Wait()
		if a := s.copies(t.Context(), "", 0, &runs); a.Code != http.StatusServiceUnavailable || runs != 1 || len(s.claims.held) != 0 {
			t.Errorf("status %d after the end; %d runs", a.Code, runs)
		}
	})
}

// TestIDs: an ID has letters and digits only, so that davd ops stop does not take one for a flag.
func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := newID()
		if seen[id] || len(id) < 26 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			t.Fatalf("the ID %q", id)
		}
		seen[id] = true
	}
}

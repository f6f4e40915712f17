package dav_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/latency"
)

// TestAsync checks when a slow COPY is answered, and the status and headers.
func TestAsync(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for _, c := range []struct {
		name     string
		prefer   []string
		takes    time.Duration
		status   int
		at       time.Duration
		interims int
		applied  string
	}{
		{"no preference", nil, 3 * s, 201, 3 * s, 0, ""},
		{"RFC 7240 §4.1: respond-async", []string{"respond-async"}, 3 * s, 202, 100 * ms, 0, "respond-async"},
		{"RFC 7240 §4.1: done before the grace period ends", []string{"respond-async"}, 50 * ms, 201, 50 * ms, 0, ""},
		{"RFC 7240 §4.3: wait", []string{"respond-async, wait=2"}, 3 * s, 202, 2 * s, 0, "respond-async, wait=2"},
		{"RFC 7240 §4.3: wait, in the other order", []string{"wait=2", "respond-async"}, 3 * s, 202, 2 * s, 0, "respond-async, wait=2"},
		{"RFC 7240 §4.3: done within wait", []string{"respond-async, wait=4"}, 3 * s, 201, 3 * s, 0, ""},
		{"RFC 7240 §4.3: wait=0", []string{"respond-async, wait=0"}, 3 * s, 202, 0, 0, "respond-async, wait=0"},
		{"RFC 7240 §4.3: wait alone is a hint", []string{"wait=1"}, 3 * s, 201, 3 * s, 0, ""},
		{"RFC 7240 §2: spaces, case, quotes and parameters", []string{`Respond-Async ; x=1 , WAIT = "2"`}, 3 * s, 202, 2 * s, 0, "respond-async, wait=2"},
		{"RFC 7240 §2: the first one counts", []string{"respond-async, wait=1, wait=2"}, 3 * s, 202, 1 * s, 0, "respond-async, wait=1"},
		{"RFC 7240 §2: a malformed wait is ignored", []string{"respond-async, wait=-1"}, 3 * s, 202, 100 * ms, 0, "respond-async"},
		{"RFC 7240 §2: an unknown preference is ignored", []string{"respond-asynchronously, wait=1"}, 3 * s, 201, 3 * s, 0, ""},
		{"RFC 7240 §4.3: longer than the maximum", []string{"respond-async, wait=86401"}, 24*time.Hour + s, 202, 24 * time.Hour, 0, "respond-async, wait=86400"},
		{"RFC 7240 §4.3: longer than 32 bits", []string{"respond-async, wait=99999999999"}, 3 * s, 201, 3 * s, 0, ""},
		{"RFC 7240 §4.3: longer than anything", []string{"respond-async, wait=99999999999999999999"}, 24*time.Hour + s, 202, 24 * time.Hour, 0, "respond-async, wait=86400"},
		{"RFC 7240 §4.3: not an integer", []string{"respond-async, wait=1.5"}, 3 * s, 202, 100 * ms, 0, "respond-async"},
		{"processing", []string{"processing"}, 2500 * ms, 201, 2500 * ms, 2, "processing"},
		{"processing until wait is over", []string{"processing, respond-async, wait=2"}, 3 * s, 202, 2 * s, 2, "processing, respond-async, wait=2"},
		{"processing, done within wait", []string{"processing, respond-async, wait=9"}, 2500 * ms, 201, 2500 * ms, 2, "processing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(plant(t))
				h := &dav.Handler{FileSystem: g}
				client := serveBubble(t, h).dial()
				g.close()
				start := time.Now()
				time.AfterFunc(c.takes, g.open)
				fields := []string{"Destination: /dst"}
				for _, prefer := range c.prefer {
					fields = append(fields, "Prefer: "+prefer)
				}
				client.ask("COPY /src", fields...)
				interims, final := client.final()
				if at := time.Since(start); final.status != c.status || at != c.at {
					t.Errorf("%d after %v, want %d after %v", final.status, at, c.status, c.at)
				}
				if applied := final.header.Get("Preference-Applied"); applied != c.applied {
					t.Errorf("Preference-Applied: %q, want %q", applied, c.applied)
				}
				if len(interims) != c.interims {
					t.Errorf("%d interim responses, want %d", len(interims), c.interims)
				}
				location := final.header.Get("Location")
				for i, interim := range interims {
					if l := interim.header.Get("Location"); (l == "") != (i > 0) || i == 0 && location != "" && l != location {
						t.Errorf("Location %q on interim response %d, %q on the final one", l, i, location)
					}
				}
				if c.status == 202 {
					accepted(t, client, final)
				} else if location != "" {
					t.Errorf("Location %q on a %d", location, final.status)
				}
				time.Sleep(c.takes) // virtual
				synctest.Wait()
				if !exists(t, g.FS, "/dst/c/b.txt") {
					t.Error("nothing was copied")
				}
			})
		})
	}
}

// TestAsyncArrival: the wait starts when the request arrives, not when its checks are
// done, which can take long on slow storage (RFC 7240 §4.3).
func TestAsyncArrival(t *testing.T) {
	for _, c := range []struct {
		wait string
		at   time.Duration // 0: immediately after the operation has begun
	}{
		{"wait=30", 30 * time.Second},
		{"wait=1", 0},
		{"wait=0", 0},
	} {
		t.Run(c.wait, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{FileSystem: latency.New(plant(t), 7*time.Second)}
				client := serveBubble(t, h).dial()
				start := time.Now()
				a := client.gets("COPY /src", "Destination: /dst", "Prefer: respond-async, "+c.wait)
				at := time.Since(start)
				list := h.Operations()
				if a.status != 202 || len(list) != 1 {
					t.Fatalf("answered %d, and %d operations are under way", a.status, len(list))
				}
				begun := list[0].Started.Sub(start)
				if want := max(c.at, begun); at != want || begun < 2*time.Second {
					t.Errorf("answered after %v, want %v; begun after %v", at, want, begun)
				}
				time.Sleep(5 * time.Minute) // virtual
			})
		})
	}
}

// accepted checks a 202 and follows its Location to the end.
func accepted(t *testing.T, client *bubbleClient, final answer) {
	t.Helper()
	location := final.header.Get("Location")
	var status operation.Status
	if at := final.header.Get("Content-Location"); at != location { // RFC 9110 §8.7
		t.Errorf("Content-Location %q, and Location %q", at, location)
	}
	if err := json.Unmarshal([]byte(final.body), &status); err != nil || status.Links.Self != location || status.State != "running" || status.Status != nil {
		t.Errorf("202 with Location %q and %s (%v)", location, final.body, err)
	}
	time.Sleep(time.Minute) // virtual
	end := client.gets("GET " + location)
	if err := json.Unmarshal([]byte(end.body), &status); err != nil || status.State != "finished" || status.Status == nil || *status.Status != 201 || status.Ended == nil {
		t.Errorf("in the end %d %s (%v)", end.status, end.body, err)
	}
}

// TestAsyncOnly: PROPFIND always answers with its content, and never with a 202 (RFC
// 7240 §4.1).
func TestAsyncOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(plant(t))
		client := serveBubble(t, &dav.Handler{FileSystem: g}).dial()
		g.close()
		time.AfterFunc(3*time.Second, g.open)
		if a := client.gets("PROPFIND /src", "Depth: 1", "Prefer: respond-async, wait=0"); a.status != 207 {
			t.Errorf("PROPFIND is %d", a.status)
		}
	})
}

// TestAsyncOutlives: after a 202, neither a disconnect nor CancelWhenGone ends the
// operation; before it, they do.
func TestAsyncOutlives(t *testing.T) {
	for _, accepted := range []bool{true, false} {
		t.Run(fmt.Sprintf("accepted %v", accepted), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(plant(t))
				h := &dav.Handler{FileSystem: g, CancelWhenGone: true}
				s := serveBubble(t, h)
				client := s.dial()
				g.close()
				client.ask("COPY /src", "Destination: /dst", "Prefer: respond-async, wait=2")
				if accepted {
					_, _ = client.final()
				}
				client.Close()
				if accepted { // a second client that joins and disconnects doesn't end it either
					other := s.dial()
					other.ask("COPY /src", "Destination: /dst")
					synctest.Wait()
					other.Close()
				}
				synctest.Wait()
				if n := len(h.Operations()); (n == 1) != accepted {
					t.Errorf("%d operations are under way", n)
				}
				g.open()
				synctest.Wait()
				if exists(t, g.FS, "/dst") != accepted {
					t.Errorf("it went on: %v", !accepted)
				}
			})
		})
	}
}

// TestAsyncShutdown: Shutdown waits for an operation that continues after a 202, or
// rolls it back; then its status document says so.
func TestAsyncShutdown(t *testing.T) {
	for _, patient := range []bool{true, false} {
		t.Run(fmt.Sprintf("patient %v", patient), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(plant(t))
				h := &dav.Handler{FileSystem: g}
				client := serveBubble(t, h).dial()
				g.close()
				location := client.gets("COPY /src", "Destination: /dst", "Prefer: respond-async").header.Get("Location")
				time.AfterFunc(5*time.Second, g.open)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				if patient {
					ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
				}
				defer cancel()
				if err := h.Shutdown(ctx); (err == nil) != patient {
					t.Errorf("Shutdown: %v", err)
				}
				if exists(t, g.FS, "/dst") != patient {
					t.Errorf("it was carried out: %v", !patient)
				}
				want := map[bool]string{true: `"state":"finished"`, false: `"state":"stopped"`}[patient]
				if a := client.gets("GET " + location); !strings.Contains(a.body, want) || !patient && !strings.Contains(a.body, `"status":503,"reason":"the server is shutting down"`) {
					t.Errorf("%d %s", a.status, a.body)
				}
			})
		})
	}
}

// panicking is storage that panics on a write.
type panicking struct{ storage.FS }

func (p panicking) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (storage.File, error) {
	if flag&os.O_CREATE != 0 {
		panic("broken storage")
	}
	return p.FS.OpenFile(ctx, name, flag, perm)
}

// TestAsyncPanic: a panic of the storage ends the operation but not the process, and
// the operator is told.
func TestAsyncPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged atomic.Pointer[error]
		g := newGate(panicking{plant(t)})
		h := &dav.Handler{FileSystem: g, OperationLogger: func(op operation.Operation, err error) {
			if op.Method == "COPY" && op.Source == "/src" {
				logged.Store(&err)
			}
		}}
		client := serveBubble(t, h).dial()
		g.close()
		a := client.gets("COPY /src", "Destination: /dst", "Prefer: respond-async, wait=0")
		g.open()
		synctest.Wait()
		if a.status != 202 || logged.Load() == nil || !strings.Contains((*logged.Load()).Error(), "broken storage") {
			t.Errorf("answered %d, logged %v", a.status, logged.Load())
		}
		if a := client.gets("GET " + a.header.Get("Location")); !strings.Contains(a.body, `"state":"finished"`) || !strings.Contains(a.body, `"status":500`) || strings.Contains(a.body, "broken") {
			t.Errorf("%d %s", a.status, a.body)
		}
		if n := len(h.Operations()); n != 0 {
			t.Errorf("%d operations are left", n)
		}
	})
}

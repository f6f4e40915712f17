package dav_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/storagetest"
)

// byHeader reads the principal from a header.
func byHeader(r *http.Request) string { return r.Header.Get("X-User") }

// countRenames returns fsys with a counter of renames from or to name.
func countRenames(fsys storage.FS, name string) (counted storage.FS, renames *atomic.Int64) {
	renames = new(atomic.Int64)
	return &storagetest.Fault{FS: fsys, Before: func(op, of string) error {
		if op == "rename" && of == name {
			renames.Add(1)
		}
		return nil
	}}, renames
}

// inBubble starts a server on plant's tree. Its storage waits from now on.
func inBubble(t *testing.T, h *dav.Handler) (*bubbleServer, *gate) {
	t.Helper()
	fsys := plant(t)
	storagetest.WriteTree(t, fsys, storagetest.Tree{"/other": "/"})
	g := newGate(fsys)
	g.waiting = make(chan struct{}, 10_000)
	h.FileSystem, h.Principal = g, byHeader
	if h.State == nil {
		h.State = newMemState()
	}
	h.OnePerson = true
	s := serveBubble(t, h)
	g.close()
	return s, g
}

// TestJoin: an identical request joins the operation that is under way. It gets the
// operation's answer, and its own interim responses if it asks for any.
func TestJoin(t *testing.T) {
	for _, c := range []struct {
		line, destination string
		status            int
	}{
		{"COPY /src", "/dst", 201}, {"MOVE /src", "/dst", 201}, {"COPY /src", "/other", 204}, {"DELETE /src", "", 204},
	} {
		t.Run(c.line+" "+c.destination, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{}
				s, g := inBubble(t, h)
				fields := []string{"X-User: a", "If-None-Match: \"x\""}
				if c.destination != "" {
					fields = append(fields, "Destination: "+c.destination)
				}
				first, second, third := s.dial(), s.dial(), s.dial()
				first.ask(c.line, fields...)
				<-g.waiting
				second.ask(c.line, append(fields, "Prefer: processing")...)
				if a := second.next(); a.status != 102 || a.header.Get("Location") == "" {
					t.Errorf("the second got %d %v", a.status, a.header)
				}
				third.ask(c.line, append(fields, "Prefer: respond-async")...)
				if _, a := third.final(); a.status != 202 {
					t.Errorf("the third got %d", a.status)
				}
				if n := len(h.Operations()); n != 1 {
					t.Errorf("%d operations are under way", n)
				}
				go g.open()
				for _, client := range []*bubbleClient{first, second} {
					if _, a := client.final(); a.status != c.status {
						t.Errorf("answered %d, want %d", a.status, c.status)
					}
				}
			})
		})
	}
}

// TestJoinStatusURI: each client that asked is told about every member.
func TestJoinStatusURI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		g.FS = slowRemoval{g.FS}
		clients := []*bubbleClient{s.dial(), s.dial()}
		for _, client := range clients {
			client.ask("DELETE /src", "Prefer: processing")
			client.next()
		}
		g.open()
		for i, client := range clients {
			interims, _ := client.final()
			var told []string
			for _, interim := range interims {
				told = append(told, interim.header.Get("Status-URI"))
			}
			if !strings.Contains(strings.Join(told, ", "), "204 <http://davd.test/src/a.txt>") {
				t.Errorf("client %d was told %q", i, told)
			}
		}
	})
}

// slowRemoval is storage that is slow to remove a collection.
type slowRemoval struct{ storage.FS }

func (s slowRemoval) RemoveAll(ctx context.Context, name string) error {
	if info, err := s.Stat(ctx, name); err == nil && info.IsDir() {
		time.Sleep(3 * time.Second)
	}
	return s.FS.RemoveAll(ctx, name)
}

// TestJoinNot: a request that differs in any way doesn't join, and finds its source or
// destination claimed.
func TestJoinNot(t *testing.T) {
	first := []string{"X-User: a", "Destination: /dst", "Depth: infinity", "Overwrite: T"}
	for name, fields := range map[string][]string{
		"RFC 4918 §10.2: Depth":                 {"X-User: a", "Destination: /dst", "Depth: 0", "Overwrite: T"},
		"RFC 4918 §10.3: Destination":           {"X-User: a", "Destination: /dst/sub", "Depth: infinity", "Overwrite: T"},
		"RFC 4918 §10.4: If":                    append([]string{"If: (Not <urn:x>)"}, first...),
		"RFC 4918 §10.6: Overwrite":             {"X-User: a", "Destination: /dst", "Depth: infinity", "Overwrite: F"},
		"RFC 9110 §13.1.1: If-Match":            append([]string{"If-Match: *"}, first...),
		"RFC 9110 §13.1.2: If-None-Match":       append([]string{`If-None-Match: "x"`}, first...),
		"RFC 9110 §13.1.4: If-Unmodified-Since": append([]string{"If-Unmodified-Since: Fri, 01 Jan 2100 00:00:00 GMT"}, first...),
		"principal":                             append([]string{"X-User: b"}, first[1:]...),
		"nobody":                                first[1:],
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := inBubble(t, &dav.Handler{})
				client := s.dial()
				client.ask("COPY /src", first...)
				<-g.waiting
				if a := s.dial().gets("COPY /src", fields...); a.status != 423 && a.status != 409 {
					t.Errorf("answered %d", a.status)
				}
				go g.open()
				if _, a := client.final(); a.status != 201 {
					t.Errorf("the first was answered %d", a.status)
				}
			})
		})
	}
}

// TestJoinAtOnce: if many identical requests are checked at the same time, one of them
// is carried out, and all get its answer.
func TestJoinAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counted, renames := countRenames(plant(t), "/src")
		s := serveBubble(t, &dav.Handler{OnePerson: true, FileSystem: latency.New(counted, 3*time.Second)})
		var running sync.WaitGroup
		for range 50 {
			client := s.dial()
			running.Go(func() {
				if a := client.gets("MOVE /src", "Destination: /dst"); a.status != 201 {
					t.Errorf("answered %d", a.status)
				}
			})
		}
		running.Wait()
		if n := renames.Load(); n != 1 {
			t.Errorf("moved %d times", n)
		}
	})
}

// TestRetryStorm: a client gives up after a second and repeats the request, fifty
// times. There is one copy, the client gets its answer, and nothing remains.
func TestRetryStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		h := &dav.Handler{}
		s, g := inBubble(t, h)
		stages := 0
		h.FileSystem = &storagetest.Fault{FS: g, Before: func(op, name string) error {
			if op == "mkdir" && storage.Reserved(name) && strings.Count(name, "/") == 1 {
				stages++
			}
			return nil
		}}
		time.AfterFunc(50500*time.Millisecond, g.open)
		status := 0
		for range 52 {
			client := s.dial()
			client.ask("COPY /src", "Destination: /dst", "Overwrite: F")
			answered := make(chan answer, 1)
			go func() {
				if response, err := http.ReadResponse(client.in, nil); err == nil {
					answered <- answer{status: response.StatusCode}
				}
				close(answered)
			}()
			select {
			case a := <-answered:
				status = a.status
			case <-time.After(time.Second):
			}
			client.Close()
			synctest.Wait()
			if n := runtime.NumGoroutine() - before; n > 30 {
				t.Fatalf("%d goroutines more than before", n)
			}
			if status != 0 {
				break
			}
		}
		if status != 201 || stages != 1 {
			t.Errorf("answered %d, staged %d times", status, stages)
		}
	})
}

// TestJoinCancel: with CancelWhenGone, an operation stops when its last client
// disconnects.
func TestJoinCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &dav.Handler{CancelWhenGone: true}
		s, g := inBubble(t, h)
		clients := []*bubbleClient{s.dial(), s.dial(), s.dial()}
		for _, client := range clients {
			client.ask("COPY /src", "Destination: /dst")
			synctest.Wait()
		}
		for i, client := range clients {
			if n := len(h.Operations()); n != 1 {
				t.Errorf("%d operations are under way when %d clients have gone", n, i)
			}
			client.Close()
			synctest.Wait()
		}
		if n := len(h.Operations()); n != 0 {
			t.Errorf("%d operations are under way when all clients have gone", n)
		}
		g.open()
		if exists(t, g.FS, "/dst") {
			t.Error("it was carried out")
		}
	})
}

// TestJoinPanic: a request that joined gets an answer even if the operation panics.
func TestJoinPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &dav.Handler{}
		s, g := inBubble(t, h)
		g.FS = panicking{g.FS}
		first, second := s.dial(), s.dial()
		first.ask("COPY /src", "Destination: /dst")
		<-g.waiting
		second.ask("COPY /src", "Destination: /dst")
		synctest.Wait()
		go g.open()
		if _, a := second.final(); a.status != 500 {
			t.Errorf("answered %d", a.status)
		}
		if a := s.dial().gets("MKCOL /dst"); a.status != 201 {
			t.Errorf("it is still claimed: %d", a.status)
		}
	})
}

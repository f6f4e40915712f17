package dav_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest"
)

// lockSystems are the kinds of LockSystem that Handlers may share.
var lockSystems = map[string]func(t *testing.T) webdav.LockSystem{
	"x/net's": func(*testing.T) webdav.LockSystem { return webdav.NewMemLS() },
	"lock.Manager": func(t *testing.T) webdav.LockSystem {
		t.Helper()
		return newSystem(t, lock.Options{})
	},
}

// logged returns the log of slog's default logger during the test, after
// ForgetHandlers.
func logged(t *testing.T) *bytes.Buffer {
	t.Helper()
	dav.ForgetHandlers()
	before := slog.Default()
	var out bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &out
}

// TestHandlersShareLocks checks that Handlers that share files and a LockSystem, as
// those of hacdias/webdav do (one per user), exclude one another like requests to one
// Handler.
func TestHandlersShareLocks(t *testing.T) {
	for kind, open := range lockSystems {
		t.Run(kind, func(t *testing.T) {
			logged(t) // the gate makes two FileSystems of one
			synctest.Test(t, func(t *testing.T) {
				first := &dav.Handler{LockSystem: open(t)}
				s, g := inBubble(t, first)
				second := serveBubble(t, &dav.Handler{FileSystem: g.FS, LockSystem: first.LockSystem, Principal: byHeader, OnePerson: true})
				copying := s.dial()
				copying.ask("COPY /src", "Destination: /dst")
				<-g.waiting
				for _, line := range []string{"MKCOL /dst", "DELETE /other", "COPY /src", "LOCK /dst"} {
					want, body := 423, ""
					if line == "DELETE /other" {
						want = 204
					}
					if line == "LOCK /dst" {
						body = lockBody
					}
					client := second.dial()
					client.send(line, body, "Destination: /dst")
					if _, a := client.final(); a.status != want {
						t.Errorf("%s by the other Handler is %d, want %d", line, a.status, want)
					}
				}
				g.open()
				if _, a := copying.final(); a.status != 201 {
					t.Errorf("COPY is %d", a.status)
				}
				client := second.dial()
				client.send("LOCK /dst", lockBody)
				if _, a := client.final(); a.status != 200 {
					t.Errorf("LOCK by the other Handler is %d", a.status)
				}
				if a := s.dial().gets("DELETE /dst"); a.status != 423 {
					t.Errorf("DELETE of what the other Handler has locked is %d", a.status)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				first := &dav.Handler{LockSystem: open(t)}
				s, g := inBubble(t, first)
				second := serveBubble(t, &dav.Handler{FileSystem: g.FS, LockSystem: first.LockSystem, Principal: byHeader, OnePerson: true})
				lose(s, g, "DELETE /src")
				if a := second.dial().gets("DELETE /src"); a.status != 404 {
					t.Errorf("the other Handler tells the first one's answer: %d", a.status)
				}
			})
		})
	}
}

// TestHandlersOfDifferentFiles checks that a warning is logged once if Handlers share a
// state for different files, unless each has a Tenant.
func TestHandlersOfDifferentFiles(t *testing.T) {
	tenant := func(name string) func(*http.Request) string { return func(*http.Request) string { return name } }
	dir := func(tb testing.TB) storage.FS { tb.Helper(); return webdav.Dir(tb.TempDir()) }
	same := dir(t)
	for _, c := range []struct {
		name          string
		first, second *dav.Handler
		warns         bool
	}{
		{"different directories", &dav.Handler{FileSystem: dir(t)}, &dav.Handler{FileSystem: dir(t)}, true},
		{"one directory", &dav.Handler{FileSystem: same}, &dav.Handler{FileSystem: same}, false},
		{"one directory, two prefixes", &dav.Handler{FileSystem: same, Prefix: "/a"}, &dav.Handler{FileSystem: same, Prefix: "/b"}, false},
		{"different directories, with tenants", &dav.Handler{FileSystem: dir(t), Tenant: tenant("a")}, &dav.Handler{FileSystem: dir(t), Tenant: tenant("b")}, false},
		{"different directories, one with a tenant", &dav.Handler{FileSystem: dir(t), Tenant: tenant("a")}, &dav.Handler{FileSystem: dir(t)}, true},
		{"what can't be compared", &dav.Handler{FileSystem: forest{}}, &dav.Handler{FileSystem: forest{}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for kind, share := range map[string]func(h ...*dav.Handler){
				"LockSystem": func(h ...*dav.Handler) {
					h[0].LockSystem = webdav.NewMemLS()
					h[1].LockSystem = h[0].LockSystem
				},
				"State": func(h ...*dav.Handler) {
					h[0].State = newMemState()
					h[1].State = h[0].State
				},
				"State behind a LockSystem of its own": func(h ...*dav.Handler) {
					h[0].State = newMemState()
					h[1].State, h[1].LockSystem = h[0].State, webdav.NewMemLS()
				},
			} {
				out := logged(t)
				handlers := []*dav.Handler{
					{FileSystem: c.first.FileSystem, Prefix: c.first.Prefix, Tenant: c.first.Tenant},
					{FileSystem: c.second.FileSystem, Prefix: c.second.Prefix, Tenant: c.second.Tenant},
				}
				share(handlers...)
				for range 3 {
					for _, h := range handlers {
						h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPut, h.Prefix+"/f", http.NoBody))
					}
				}
				if n := strings.Count(out.String(), "Handler.Tenant"); n != map[bool]int{true: 1}[c.warns] {
					t.Errorf("%s: logged %d times: %s", kind, n, out)
				}
				runtime.KeepAlive(handlers)
			}
		})
	}
}

// TestHandlersOfTenants checks that Handlers with different files can share a
// LockSystem and Properties if each has a Tenant.
func TestHandlersOfTenants(t *testing.T) {
	for kind, open := range lockSystems {
		t.Run(kind, func(t *testing.T) {
			locks, state := open(t), newMemState()
			user := func(name string) *share {
				fsys, dir := openLocal(t)
				storagetest.WriteTree(t, fsys, tenantTree())
				h := &dav.Handler{
					FileSystem: fsys, LockSystem: locks, State: state,
					Tenant: func(*http.Request) string { return name },
				}
				return &share{TB: t, dir: dir, h: h, server: newServer(t, h)}
			}
			ann, ben := user("ann"), user("ben")
			token := ann.lock("/d")
			ann.sends(207, "PROPPATCH", "/f", setP)
			ben.wants(204, "DELETE", "/d")
			ben.wants(404, "DELETE", "/d")
			if got := ben.seen("/", "", ""); strings.Contains(got, "secret") || strings.Contains(got, "activelock") {
				t.Errorf("the other user sees %s", got)
			}
			ann.wants(423, "DELETE", "/d")
			ann.wants(204, "DELETE", "/d", "If: (<"+token+">)")
		})
	}
}

// sometimes returns Handlers, every nth of which is ReadOnly.
func sometimes(many int) func() *dav.Handler {
	made := 0
	return func() *dav.Handler {
		made++
		return &dav.Handler{ReadOnly: made%many == 0}
	}
}

// TestHandlerForEachRequest checks that a warning is logged once, with the lost state,
// if each Handler serves only one request, as in Caddy's module.
func TestHandlerForEachRequest(t *testing.T) {
	locks, state := webdav.NewMemLS(), newMemState()
	for _, c := range []struct {
		name               string
		handlers, requests int
		handler            func() *dav.Handler
		logs               string
	}{
		// A Handler that is ReadOnly gets one request.
		{"one for each request", 200, 1, func() *dav.Handler { return &dav.Handler{} }, "locks, dead properties and status documents"},
		{"one for each request on one LockSystem", 200, 1, func() *dav.Handler { return &dav.Handler{LockSystem: locks} }, "the dead properties and status documents"},
		{"one for each request on kept state", 200, 1, func() *dav.Handler {
			return &dav.Handler{LockSystem: locks, State: state}
		}, ""},
		{"one", 1, 1000, func() *dav.Handler { return &dav.Handler{} }, ""},
		{"one for each of many users", 1000, 3, func() *dav.Handler { return &dav.Handler{} }, ""},
		{"one for each of many users, of whom some come once", 1000, 3, sometimes(5), ""},
		{"a few in tests", 50, 1, func() *dav.Handler { return &dav.Handler{} }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := logged(t)
			fsys := webdav.Dir(t.TempDir())
			for range c.handlers {
				h := c.handler()
				h.FileSystem = fsys
				requests := c.requests
				if h.ReadOnly {
					requests = 1
				}
				for range requests {
					h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodOptions, "/", http.NoBody))
				}
			}
			got := strings.Count(out.String(), "\n")
			if want := min(len(c.logs), 1); got != want || !strings.Contains(out.String(), c.logs) {
				t.Errorf("logged %d times, want %d with %q: %s", got, want, c.logs, fmt.Sprint(out))
			}
		})
	}
}

package dav_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// underWay starts an operation of the principal a that waits at g, and returns its
// client and the path of its status document.
func underWay(s *bubbleServer, g *gate, line string, fields ...string) (client *bubbleClient, location string) {
	s.Helper()
	client = s.dial()
	client.ask(line, append(fields, "X-User: a", "Prefer: processing")...)
	interim := client.next()
	if location = interim.header.Get("Location"); interim.status != 102 || location == "" {
		s.Fatalf("%s: %d %v", line, interim.status, interim.header)
	}
	<-g.waiting
	return client, location
}

// status reads a status document as JSON.
func (c *bubbleClient) status(location string, fields ...string) operation.Status {
	c.Helper()
	a := c.gets("GET "+location, append(fields, "X-User: a")...)
	var status operation.Status
	decoder := json.NewDecoder(strings.NewReader(a.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&status); err != nil || a.status != 200 {
		c.Fatalf("%d %s (%v)", a.status, a.body, err)
	}
	return status
}

// goldenStatus compares a JSON document with one in testdata/status.
func goldenStatus(t *testing.T, name, got string) {
	t.Helper()
	got = regexp.MustCompile(`[0-9a-z]{26}"`).ReplaceAllString(got, `(an ID)"`)
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(got), "", "  "); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	file := filepath.Join("..", "testdata", "status", name+".json")
	if flag.Lookup("update").Value.String() == "true" {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, indented.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./dav -run Status -update makes it)", err)
	}
	if indented.String() != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, indented.String(), want)
	}
}

// TestStatusDocument tests the documents of an operation from start to end.
func TestStatusDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{Prefix: "/dav"})
		client, location := underWay(s, g, "COPY /dav/src", "Destination: /dav/dst", "Overwrite: F")
		time.Sleep(2 * time.Second)
		reader := s.dial()
		running := reader.gets("GET "+location, "X-User: a")
		goldenStatus(t, "running", running.body)
		if ct := running.header.Get("Content-Type"); ct != "application/json" || running.header.Get("Cache-Control") != "no-store" || running.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("header %v", running.header)
		}
		g.open()
		client.final()
		goldenStatus(t, "finished", reader.gets("GET "+location, "X-User: a").body)
		goldenStatus(t, "list", reader.gets("GET /dav/.davd-operations/", "X-User: a").body)
		reader.ask("HEAD "+location, "X-User: a")
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodHead, location, http.NoBody)
		if response, err := http.ReadResponse(reader.in, request); err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("HEAD: %v %v", response, err)
		}
		time.Sleep(24*time.Hour - time.Second)
		if a := reader.gets("GET "+location, "X-User: a"); a.status != 200 {
			t.Errorf("after a day it is %d", a.status)
		}
		time.Sleep(2 * time.Second)
		if a := reader.gets("GET "+location, "X-User: a"); a.status != 404 {
			t.Errorf("later it is %d", a.status)
		}
	})
}

// TestStatusForms tests content negotiation (RFC 9110 §12.5.1).
func TestStatusForms(t *testing.T) {
	const page, script, events = "text/html; charset=utf-8", "application/json", "text/event-stream"
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		client, location := underWay(s, g, "DELETE /src")
		g.open()
		client.final()
		for accept, want := range map[string]string{
			"": script, "*/*": script, "image/png": script, "application/*": script, "Application/JSON": script,
			"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": page,
			"text/event-stream": events,
			"text/*":            page,
			"text/html;q=0.1, application/json;q=0.2":     script,
			"text/html;level=1;q=0.4, */*;q=0.3":          page,
			"text/html;q=0, text/event-stream;q=0, */*":   script,
			"application/json;q=0, */*":                   page,
			"text/html;q=nonsense, text/*;q=0.1, */*;q=0": events,
		} {
			reader := s.dial()
			a := reader.gets("GET "+location, "X-User: a", "Accept: "+accept)
			if got := a.header.Get("Content-Type"); got != want || a.status != 200 || a.header.Get("Vary") != "Accept" {
				t.Errorf("%q gets %q, want %q", accept, got, want)
			}
		}
	})
}

// TestStatusAwait checks that a GET with Prefer: processing gets interim responses
// until the operation ends, and then the document.
func TestStatusAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		_, location := underWay(s, g, "COPY /src", "Destination: /dst")
		time.AfterFunc(45500*time.Millisecond, g.open)
		start := time.Now()
		reader := s.dial()
		reader.ask("GET "+location, "X-User: a", "Prefer: processing")
		interims, final := reader.final()
		if len(interims) < 3 || time.Since(start) != 45500*time.Millisecond || !strings.Contains(final.body, `"state":"finished"`) || final.header.Get("Preference-Applied") != "processing" {
			t.Errorf("%d interim responses in %v, then %d %s", len(interims), time.Since(start), final.status, final.body)
		}
		for _, interim := range interims {
			if !strings.HasPrefix(interim.header.Get("Progress"), "0/") || interim.header.Get("Location") != "" {
				t.Errorf("interim response %v", interim.header)
			}
		}
		// The operation has ended, or interim responses are not allowed, so the answer
		// comes immediately.
		reader.ask("GET "+location, "X-User: a", "Prefer: processing")
		if a := reader.next(); a.status != 200 {
			t.Errorf("after the end it is %d", a.status)
		}
	})
}

// TestStatusAwaitHead checks that HEAD gets the same interim responses as GET
// (draft-wright-http-progress-02 §3), and no content.
func TestStatusAwaitHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		_, location := underWay(s, g, "COPY /src", "Destination: /dst")
		time.AfterFunc(45500*time.Millisecond, g.open)
		start := time.Now()
		reader := s.dial()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, location, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		read := func() *http.Response {
			response, err := http.ReadResponse(reader.in, request)
			if err != nil {
				t.Fatal(err)
			}
			return response
		}
		reader.ask("HEAD "+location, "X-User: a", "Prefer: processing")
		interims := 0
		final := read()
		for ; final.StatusCode == http.StatusProcessing; final = read() {
			interims++
		}
		if interims < 3 || time.Since(start) != 45500*time.Millisecond || final.StatusCode != http.StatusOK || final.Header.Get("Preference-Applied") != "processing" {
			t.Errorf("%d interim responses in %v, then %d %v", interims, time.Since(start), final.StatusCode, final.Header)
		}
		synctest.Wait()                                                 // The operation ends a moment after its answer.
		reader.ask("HEAD "+location, "X-User: a", "Prefer: processing") // no content was in between
		if again := read(); again.StatusCode != http.StatusOK {
			t.Errorf("after the end it is %d", again.StatusCode)
		}
	})
}

// TestStatusAwaitNever checks that a client that can't get interim responses gets the
// current document.
func TestStatusAwaitNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &dav.Handler{Interim: interim.Policy{Mode: interim.Never}}
		s, g := inBubble(t, h)
		client := s.dial()
		location := client.gets("COPY /src", "X-User: a", "Destination: /dst", "Prefer: respond-async, processing").header.Get("Location")
		if a := client.gets("GET "+location, "X-User: a", "Prefer: processing"); !strings.Contains(a.body, `"state":"running"`) {
			t.Errorf("%d %s", a.status, a.body)
		}
		g.open()
	})
}

// TestStatusEvents checks that there is an event after each change and at the end, and
// a comment every 15 s without a change.
func TestStatusEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		_, location := underWay(s, g, "COPY /src", "Destination: /dst")
		time.AfterFunc(33500*time.Millisecond, g.open)
		reader := s.dial()
		a := reader.gets("GET "+location, "X-User: a", "Accept: text/event-stream")
		var got []string
		for event := range strings.SplitSeq(strings.TrimSuffix(a.body, "\n\n"), "\n\n") {
			name, data, _ := strings.Cut(event, "\n")
			got = append(got, name)
			if name == ":" || event == ":" {
				continue
			}
			var status operation.Status
			if err := json.Unmarshal([]byte(strings.TrimPrefix(data, "data: ")), &status); err != nil {
				t.Errorf("%v in %q", err, event)
			}
			if (status.State == "running") != (name == "event: progress") {
				t.Errorf("%s: %s", name, status.State)
			}
		}
		if !slices.Equal(got, []string{"event: progress", ":", ":", "event: end"}) {
			t.Errorf("events %q", got)
		}
		if a := reader.gets("GET "+location, "X-User: a", "Accept: text/event-stream"); !strings.HasPrefix(a.body, "event: end\n") {
			t.Errorf("after the end: %q", a.body)
		}
	})
}

// TestStatusStop checks that DELETE stops an operation and rolls it back if possible,
// and that a second DELETE forgets it.
func TestStatusStop(t *testing.T) {
	for _, c := range []struct {
		line, destination string
		reason            string
	}{
		{"COPY /src", "/dst", "stopped on request; the destination is as it was"},
		{"COPY /src", "/other", "stopped on request; the destination is as it was"},
		{"MOVE /src", "/other", "stopped on request; the destination is as it was"},
		{"DELETE /src", "", "stopped on request; members removed before that are gone"},
		{"PROPFIND /src", "", "stopped on request"},
	} {
		t.Run(c.line+" "+c.destination, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{}
				s, g := inBubble(t, h)
				// A MOVE has to copy: a rename can't be stopped.
				h.FileSystem = &storagetest.Fault{FS: g, Before: func(op, name string) error {
					if op == "rename" && !storage.Reserved(name) {
						return syscall.EXDEV
					}
					return nil
				}}
				before := storagetest.ReadTree(t, g.FS, "/")
				fields := []string{"Depth: infinity"}
				if c.destination != "" {
					fields = append(fields, "Destination: "+c.destination)
				}
				client, location := underWay(s, g, c.line, fields...)
				other := s.dial()
				if a := other.gets("DELETE "+location, "X-User: a"); a.status != 204 {
					t.Errorf("stopping is %d %s", a.status, a.body)
				}
				// RFC 9110 §15.5.4: the client should not repeat the request.
				if _, a := client.final(); a.status != 403 || !strings.Contains(a.body, c.reason) {
					t.Errorf("the client got %d %s", a.status, a.body)
				}
				g.open()
				synctest.Wait()
				if after := storagetest.ReadTree(t, g.FS, "/"); !maps.Equal(after, before) {
					t.Errorf("the storage holds %v, want %v", after, before)
				}
				if c.line != "PROPFIND /src" {
					status := other.status(location)
					if status.State != "stopped" || status.Reason != c.reason || status.StoppedBy != "you" || status.RollsBack != (c.destination != "") || status.Status == nil || *status.Status != 403 {
						t.Errorf("%+v", status)
					}
				}
				if c.line == "PROPFIND /src" {
					return
				}
				for _, want := range []int{204, 404} {
					if a := other.gets("DELETE "+location, "X-User: a"); a.status != want {
						t.Errorf("forgetting is %d, want %d", a.status, want)
					}
				}
			})
		})
	}
}

// TestStatusTooLate checks that DELETE does not claim to have stopped an operation that
// it could not stop, and answers 202 if the end takes long.
func TestStatusTooLate(t *testing.T) {
	for _, c := range []struct {
		name   string
		opens  time.Duration
		status int
		body   string
	}{
		{"it ends", time.Second, 409, "409 Conflict: it was too late to stop the operation; its status document has the result\n"},
		{"it goes on", time.Minute, 202, "202 Accepted: the operation is rolling back, or it is too late to stop it; its status document will have the result\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, g := inBubble(t, &dav.Handler{})
				client, location := underWay(s, g, "MOVE /src/a.txt", "Destination: /dst") // one rename
				time.AfterFunc(c.opens, g.open)
				if a := s.dial().gets("DELETE "+location, "X-User: a"); a.status != c.status || a.body != c.body {
					t.Errorf("answered %d %s", a.status, a.body)
				}
				client.final()
			})
		})
	}
}

// slowRollback is storage whose copies never end by themselves, and whose reserved
// names are slow to remove.
type slowRollback struct {
	storage.FS
	takes time.Duration
}

func (s slowRollback) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (storage.File, error) {
	if flag&os.O_CREATE != 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.FS.OpenFile(ctx, name, flag, perm)
}

func (s slowRollback) RemoveAll(ctx context.Context, name string) error {
	if storage.Reserved(name) {
		time.Sleep(s.takes)
	}
	return s.FS.RemoveAll(ctx, name)
}

// TestStatusStopping checks that an operation is still running while it rolls back, and
// has no estimate.
func TestStatusStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &dav.Handler{Logger: func(r *http.Request, err error) {
			if r.Method == http.MethodDelete && err != nil {
				t.Errorf("logged is %v", err)
			}
		}}
		s, g := inBubble(t, h)
		h.FileSystem = slowRollback{g, time.Minute}
		client, location := underWay(s, g, "COPY /src", "Destination: /dst")
		g.open()
		time.Sleep(2 * time.Second)
		reader := s.dial()
		if status := reader.status(location); status.Stopping {
			t.Errorf("before: %+v", status)
		}
		if a := s.dial().gets("DELETE "+location, "X-User: a"); a.status != 202 || !strings.HasPrefix(a.body, "202 Accepted: the operation is rolling back") {
			t.Errorf("stopping is %d %s", a.status, a.body)
		}
		if status := reader.status(location); !status.Stopping || status.State != "running" || status.Estimate != nil || status.Rate != (operation.StatusRate{}) {
			t.Errorf("while it rolls back: %+v", status)
		}
		client.final()
		if status := reader.status(location); status.Stopping || status.State != "stopped" {
			t.Errorf("afterwards: %+v", status)
		}
	})
}

// TestStatusMethods tests the methods of a status document and of the list.
func TestStatusMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, g := inBubble(t, &dav.Handler{})
		client, location := underWay(s, g, "DELETE /src")
		g.open()
		client.final()
		reader := s.dial()
		for request, want := range map[string]string{
			"OPTIONS " + location:               "200 OPTIONS, DELETE, GET, HEAD, POST",
			"PUT " + location:                   "405 OPTIONS, DELETE, GET, HEAD, POST",
			"PROPFIND " + location:              "405 OPTIONS, DELETE, GET, HEAD, POST",
			"MKCOL " + location + "x":           "405 OPTIONS, DELETE, GET, HEAD, POST",
			"FOO " + location:                   "501 ",
			"OPTIONS /.davd-operations/":        "200 OPTIONS, GET, HEAD",
			"DELETE /.davd-operations/":         "405 OPTIONS, GET, HEAD",
			"GET /.davd-operations":             "200 ",
			"GET /.davd-operations/x":           "404 ",
			"GET " + location + "/x":            "404 ",
			"GET /.davd-operationsx":            "404 ",
			"GET /other/.davd-operations/":      "404 ",
			"GET /other/.." + location:          "200 ",
			"MOVE " + location:                  "405 OPTIONS, DELETE, GET, HEAD, POST",
			"DELETE /.davd-operations/../other": "204 ",
		} {
			a := reader.gets(request, "X-User: a")
			if got := fmt.Sprint(a.status, " ", a.header.Get("Allow")); got != want {
				t.Errorf("%s is %s (%s), want %s", request, got, a.body, want)
			}
		}
	})
}

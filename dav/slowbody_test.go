package dav_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
)

// unfinished are requests whose body never ends, and the answer: at once, or a 408
// after Handler.StallTimeout.
var unfinished = []struct {
	name   string
	line   string
	fields []string
	status int
	// atOnce: the answer does not wait for the body.
	atOnce bool
}{
	{"GET, RFC 9110 §9.3.1", "GET /f", []string{"Content-Length: 10"}, http.StatusOK, true},
	{"HEAD", "HEAD /f", []string{"Content-Length: 10"}, http.StatusOK, true},
	{"OPTIONS, RFC 9110 §9.3.7", "OPTIONS /f", []string{"Content-Length: 10"}, http.StatusOK, true},
	{"GET of what is missing", "GET /nothing", []string{"Content-Length: 10"}, http.StatusNotFound, true},
	{"GET, chunked", "GET /f", []string{"Transfer-Encoding: chunked"}, http.StatusOK, true},
	{"GET, long", "GET /f", []string{"Content-Length: 100000000"}, http.StatusOK, true},
	{"GET, 100", "GET /f", []string{"Content-Length: 10", "Expect: 100-continue"}, http.StatusOK, true},
	{"POST, RFC 4918 §9.5", "POST /f", []string{"Content-Length: 10"}, http.StatusMethodNotAllowed, true},
	{"unknown method", "BREW /f", []string{"Content-Length: 10"}, http.StatusNotImplemented, true},
	{"MKCOL, RFC 4918 §9.3", "MKCOL /new", []string{"Content-Length: 10"}, http.StatusUnsupportedMediaType, true},
	{"MKCOL, chunked", "MKCOL /new", []string{"Transfer-Encoding: chunked"}, http.StatusRequestTimeout, false},
	{"PUT to a reserved name", "PUT /.davd-1", []string{"Content-Length: 10"}, http.StatusForbidden, true},
	{"PUT to a reserved name, long", "PUT /.davd-1", []string{"Content-Length: 100000000"}, http.StatusForbidden, true},
	{"PUT to a reserved name, 100", "PUT /.davd-1", []string{"Content-Length: 10", "Expect: 100-continue"}, http.StatusForbidden, true},
	{"PUT, short, RFC 4918 §9.7", "PUT /new", []string{"Content-Length: 10"}, http.StatusRequestTimeout, false},
	{"PUT, 100 KB", "PUT /new", []string{"Content-Length: 100000"}, http.StatusRequestTimeout, false},
	{"PUT, long", "PUT /new", []string{"Content-Length: 100000000"}, http.StatusRequestTimeout, false},
	{"PUT, chunked", "PUT /new", []string{"Transfer-Encoding: chunked"}, http.StatusRequestTimeout, false},
	{"DELETE, RFC 4918 §9.6", "DELETE /f", []string{"Content-Length: 10"}, http.StatusRequestTimeout, false},
	{"DELETE, long", "DELETE /f", []string{"Content-Length: 100000000"}, http.StatusRequestEntityTooLarge, true},
	{"COPY, RFC 4918 §9.8", "COPY /f", []string{"Destination: /new", "Content-Length: 10"}, http.StatusRequestTimeout, false},
	{"MOVE, RFC 4918 §9.9", "MOVE /f", []string{"Destination: /new", "Content-Length: 10"}, http.StatusRequestTimeout, false},
	{"UNLOCK, RFC 4918 §9.11", "UNLOCK /f", []string{"Lock-Token: <urn:x>", "Content-Length: 10"}, http.StatusRequestTimeout, false},
	{"PROPFIND, RFC 4918 §9.1", "PROPFIND /f", []string{"Depth: 0", "Content-Length: 10"}, http.StatusRequestTimeout, false},
	{"PROPFIND, 10 KB", "PROPFIND /f", []string{"Depth: 0", "Content-Length: 10000"}, http.StatusRequestTimeout, false},
	{"PROPFIND, chunked", "PROPFIND /f", []string{"Depth: 0", "Transfer-Encoding: chunked"}, http.StatusRequestTimeout, false},
	{"PROPFIND, too long", "PROPFIND /f", []string{"Depth: 0", "Content-Length: 10000000"}, http.StatusRequestEntityTooLarge, true},
	{"PROPPATCH, RFC 4918 §9.2", "PROPPATCH /f", []string{"Content-Length: 1000"}, http.StatusRequestTimeout, false},
	{"LOCK, RFC 4918 §9.10", "LOCK /f", []string{"Content-Length: 1000"}, http.StatusRequestTimeout, false},
	{"PATCH", "PATCH /f", []string{"Content-Type: application/x-sabredav-partialupdate", "X-Update-Range: append", "Content-Length: 10"}, http.StatusRequestTimeout, false},
}

// fileHandler has the file /f.
func fileHandler(t *testing.T) *dav.Handler {
	t.Helper()
	h := &dav.Handler{FileSystem: webdav.NewMemFS()}
	write(t, h.FileSystem, "/f", "content")
	return h
}

// TestUnfinishedBody: a request whose body never ends is answered, changes nothing, and
// its connection is closed.
func TestUnfinishedBody(t *testing.T) {
	for _, c := range unfinished {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := fileHandler(t)
				client := serveBubble(t, h).dial()
				start := time.Now()
				client.ask(c.line, c.fields...)
				answer := unfinishedAnswer(t, client, c.line)
				took := time.Since(start)
				if answer.StatusCode != c.status || !answer.Close {
					t.Errorf("%s, close: %t, want %d and a connection that is closed", answer.Status, answer.Close, c.status)
				}
				if c.atOnce && took > time.Second || !c.atOnce && took > 2*time.Minute+time.Second {
					t.Errorf("the answer took %v", took)
				}
				if _, err := client.in.ReadByte(); err == nil || time.Since(start)-took > 6*time.Second {
					t.Errorf("the connection was closed %v after the answer, %v", time.Since(start)-took, err)
				}
				_, old := h.FileSystem.Stat(t.Context(), "/f")
				_, made := h.FileSystem.Stat(t.Context(), "/new")
				if old != nil || made == nil {
					t.Errorf("something was changed: %v, %v", old, made)
				}
			})
		})
	}
}

// unfinishedAnswer reads the final answer to a request whose body has not ended.
func unfinishedAnswer(t *testing.T, client *bubbleClient, line string) *http.Response {
	t.Helper()
	method, _, _ := strings.Cut(line, " ")
	for {
		answer, err := http.ReadResponse(client.in, &http.Request{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode < http.StatusOK {
			continue
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Error(err)
		}
		return answer
	}
}

// TestSlowBody: a body must arrive at the MinRate on average over each StallTimeout; one
// that does may take hours.
func TestSlowBody(t *testing.T) {
	const hours = 4 << 20
	for _, c := range []struct {
		name    string
		line    string
		length  int
		part    int           // bytes
		every   time.Duration // part
		rate    int64
		status  int
		atLeast time.Duration // before the answer
		atMost  time.Duration
	}{
		{"one byte per second, short", "PUT /new", 60_000, 1, time.Second, 0, http.StatusRequestTimeout, time.Minute, 3 * time.Minute},
		{"one byte per second, long", "PUT /new", 1 << 20, 1, time.Second, 0, http.StatusRequestTimeout, time.Minute, 3 * time.Minute},
		{"fast, then one byte per second", "PUT /new", 1 << 20, 1 << 19, time.Hour, 0, http.StatusRequestTimeout, time.Minute, 3 * time.Minute},
		{"20 KB per second", "PUT /new", hours, 2000, 100 * time.Millisecond, 0, http.StatusCreated, 3 * time.Minute, time.Hour},
		{"1 KB per second", "PUT /new", hours, 1000, time.Second, 0, http.StatusCreated, time.Hour, 2 * time.Hour},
		{"another rate", "PUT /new", hours, 1000, time.Second, 2000, http.StatusRequestTimeout, time.Minute, 3 * time.Minute},
		{"any rate", "PUT /new", 1000, 1, time.Minute, -1, http.StatusCreated, 16 * time.Hour, 17 * time.Hour},
		{"XML", "PROPPATCH /f", 1 << 20, 1, time.Second, 0, http.StatusRequestTimeout, time.Minute, 3 * time.Minute},
		{"without a use", "DELETE /f", 1000, 1, time.Second, 0, http.StatusRequestTimeout, time.Minute, 3 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := fileHandler(t)
				h.MinRate = c.rate
				client := serveBubble(t, h).dial()
				start, answered := time.Now(), make(chan struct{})
				client.ask(c.line, fmt.Sprint("Content-Length: ", c.length))
				go func() {
					for sent := 0; sent < c.length; sent += c.part {
						if _, err := client.Write(make([]byte, min(c.part, c.length-sent))); err != nil {
							return // it was answered
						}
						select {
						case <-time.After(c.every):
						case <-answered:
							return
						}
					}
				}()
				answer := unfinishedAnswer(t, client, c.line)
				took := time.Since(start)
				close(answered)
				_ = client.Close()
				if answer.StatusCode != c.status || took < c.atLeast || took > c.atMost {
					t.Errorf("%s after %v, want %d after %v to %v", answer.Status, took, c.status, c.atLeast, c.atMost)
				}
			})
		})
	}
}

// TestAnswerFirstKeepsConnection: a short body that has arrived costs no connection, be
// the answer what it may.
func TestAnswerFirstKeepsConnection(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, layout{"/f": "content"})
	c := s.dial()
	for line, want := range map[string]int{
		"GET /f": http.StatusOK, "OPTIONS /f": http.StatusOK, "POST /f": http.StatusMethodNotAllowed, "BREW /f": http.StatusNotImplemented,
		"PUT /.davd-1": http.StatusForbidden, "MKCOL /new": http.StatusUnsupportedMediaType, "PROPFIND /.davd-1": http.StatusNotFound,
	} {
		for _, body := range []string{"Content-Length: 5\n\nhello", "Transfer-Encoding: chunked\n\n5\nhello\n0\n\n"} {
			c.write(line + " HTTP/1.1\n" + body)
			if status := c.status(); status != want {
				t.Errorf("%s: %d, want %d", line, status, want)
			}
		}
	}
}

// TestXMLBodiesAtOnce: the XML bodies of one client have a quarter of the memory of all,
// and give it back when they end.
func TestXMLBodiesAtOnce(t *testing.T) {
	const length = 1 << 20 // the longest, of which 32 have room, and 8 of one client
	user := func(r *http.Request) string { return r.Header.Get("X-User") }
	s := serveMem(t, &dav.Handler{Principal: user}, layout{"/f": "content"})
	unfinished := func(user string) *connection {
		c := s.dial()
		c.write(fmt.Sprintf("PROPPATCH /f HTTP/1.1\nX-User: %s\nContent-Length: %d\n\n", user, length))
		if _, err := c.conn.Write(bytes.Repeat([]byte(" "), length-1)); err != nil {
			t.Error(err)
		}
		return c
	}
	const clients = 12
	var all []*connection
	refused := make(chan answer, clients)
	for range clients { // of which some find no room, whatever their order
		c := unfinished("ann")
		all = append(all, c)
		go func() {
			if _, err := c.in.Peek(1); err == nil {
				refused <- c.response()
			}
		}()
	}
	if got := <-refused; got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After: %s; want 503 and a time", got.status, got.header.Get("Retry-After"))
	}
	other := unfinished("bob")
	if other.write(" "); other.status() != http.StatusBadRequest { // white space is no XML
		t.Error("another client was not served")
	}
	if short := s.do("PROPFIND", "/f", "X-User: ann", "Depth: 0"); short.status != http.StatusMultiStatus {
		t.Errorf("a short body of the same client: %d", short.status)
	}
	for _, c := range all {
		c.end()
	}
	for range clients - 1 {
		<-refused
	}
	again := unfinished("ann")
	if again.write(" "); again.status() != http.StatusBadRequest {
		t.Error("the memory was not given back")
	}
}

// TestAnswerFirstLongBody: a client that sends everything before it reads gets the
// answer to a long body that nobody wants.
func TestAnswerFirstLongBody(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, layout{"/f": "content"})
	const length = 8 << 20
	for line, want := range map[string]int{
		"PUT /.davd-1": http.StatusForbidden, "GET /f": http.StatusOK,
		"DELETE /f": http.StatusRequestEntityTooLarge, "PROPFIND /f": http.StatusRequestEntityTooLarge,
	} {
		c := s.dial()
		c.write(line + " HTTP/1.1\n" + fmt.Sprintf("Content-Length: %d\n\n", length))
		if _, err := c.conn.Write(make([]byte, length)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if status := c.status(); status != want {
			t.Errorf("%s: %d, want %d", line, status, want)
		}
	}
}

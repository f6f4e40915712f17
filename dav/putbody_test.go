package dav_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/davd/davd/dav"
)

// TestPutCutOff checks that an incomplete body changes nothing and leaves no trace, and
// that the client gets an error.
func TestPutCutOff(t *testing.T) {
	bodies := map[string]string{
		"Content-Length":                       "Content-Length: 100\n\nhalf of it",
		"nothing of it":                        "Content-Length: 100\n\n",
		"RFC 9112 §8 chunked":                  "Transfer-Encoding: chunked\n\na\nhalf of it",
		"in a chunk":                           "Transfer-Encoding: chunked\n\naa\nhalf of it",
		"before the last chunk":                "Transfer-Encoding: chunked\n\na\nhalf of it\n",
		"in the last chunk":                    "Transfer-Encoding: chunked\n\na\nhalf of it\n0",
		"a chunk of no size":                   "Transfer-Encoding: chunked\n\nx\nhalf of it\n0\n\n",
		"X-Expected-Entity-Length":             "Transfer-Encoding: chunked\nX-Expected-Entity-Length: 11\n\na\nhalf of it\n0\n\n",
		"more than X-Expected-Entity-Length":   "Transfer-Encoding: chunked\nX-Expected-Entity-Length: 9\n\na\nhalf of it\n0\n\n",
		"nothing for X-Expected-Entity-Length": "Content-Length: 0\nX-Expected-Entity-Length: 9\n\n",
	}
	for name, rest := range bodies {
		t.Run(name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				for _, target := range []string{"/f", "/new"} {
					connection := s.dial()
					connection.write("PUT " + target + " HTTP/1.1\n" + rest)
					connection.end()
					if a := connection.response(); a.status != 400 {
						s.Errorf("%s: %d, want 400", target, a.status)
					}
					s.holds(garden())
				}
			})
		})
	}
}

// TestPutConnectionLost is the same for a client that disconnects.
func TestPutConnectionLost(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		ended := make(chan error, 1)
		s.h.Logger = func(_ *http.Request, err error) { ended <- err }
		for _, target := range []string{"/f", "/new"} {
			connection := s.dial()
			connection.write("PUT " + target + " HTTP/1.1\nContent-Length: 100\n\nhalf of it")
			connection.conn.Close()
			if err := <-ended; err == nil {
				s.Errorf("PUT %s succeeded", target)
			}
			s.holds(garden())
		}
	})
}

// TestPutTooLarge tests a body limit that the program around the Handler sets.
func TestPutTooLarge(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	s.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 3)
		s.h.ServeHTTP(w, r)
	})
	s.sends(413, "PUT", "/f", "four")
	s.sends(204, "PUT", "/f", "tre")
	s.holds(garden().with(layout{"/f": "tre"}))
}

// TestPutRefusedEarly checks that a refused client gets no 100 (Continue), and that
// others get one (RFC 9110 §10.1.1).
func TestPutRefusedEarly(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	s.lock("/c/m")
	for _, c := range []struct {
		target, fields string
		status         int
	}{
		{"/f", "", 100},
		{"/new", "If-None-Match: *\n", 100},
		{"/none/new", "", 409},
		{"/f/new", "", 409},
		{"/c/", "", 405},
		{"/c/m", "", 423},
		{"/f", "If-None-Match: *\n", 412},
		{"/f", "If-Match: \"other\"\n", 412},
		{"/f", "If: (<urn:x>)\n", 412},
		{"/f", "Content-Range: bytes 0-9/100\n", 400},
		{"/f", "Content-Encoding: gzip\n", 415},
		{"/f", "X-Expected-Entity-Length: 9\n", 400},
	} {
		connection := s.dial()
		connection.write("PUT " + c.target + " HTTP/1.1\nExpect: 100-continue\nContent-Length: 10\n" + c.fields + "\n")
		if got := connection.status(); got != c.status {
			t.Errorf("%s %q: %d, want %d", c.target, c.fields, got, c.status)
		}
		if c.status == 100 {
			connection.write("ten bytes.")
			if got := connection.status(); got/100 != 2 {
				t.Errorf("%s %q: %d after the body", c.target, c.fields, got)
			}
		}
	}
	s.holds(garden().with(layout{"/f": "ten bytes.", "/new": "ten bytes."}))
}

// TestPutRefusedLate checks that the connection is still usable after a body that the
// server did not read, and that a client that sends a long one still gets the status.
func TestPutRefusedLate(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	connection := s.dial()
	for range 3 {
		connection.write("PUT /f HTTP/1.1\nIf-None-Match: *\nContent-Length: 9\n\nGET / HTT")
		if got := connection.status(); got != 412 {
			t.Errorf("%d, want 412", got)
		}
		connection.write("POST /f HTTP/1.1\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n")
		if got := connection.status(); got != 405 {
			t.Errorf("%d, want 405", got)
		}
	}
	connection.write("GET /f HTTP/1.1\n\n")
	if a := connection.response(); a.status != 200 || a.body != "file" {
		t.Errorf("%+v", a)
	}
	s.sends(412, "PUT", "/f", strings.Repeat("x", 4<<20), "If-None-Match: *")
	s.holds(garden())
}

// TestPutAfterwards checks that the server repeats its checks after the body.
func TestPutAfterwards(t *testing.T) {
	for _, c := range []struct {
		name, target, fields string
		between              func(s *share)
		status               int
		want                 layout
		// away: the collection goes away. Where the content waits in it, as in
		// memory, it goes, too: a 409, and a reserved name that is left behind.
		away bool
	}{
		{"RFC 9110 §13.2.1 If-None-Match: *", "/new", "If-None-Match: *\n", func(s *share) {
			s.sends(201, "PUT", "/new", "faster")
		}, 412, garden().with(layout{"/new": "faster"}), false},
		{"RFC 9110 §13.2.1 If-Match", "/f", "If-Match: {etag}\n", func(s *share) {
			s.sends(204, "PUT", "/f", "faster")
		}, 412, garden().with(layout{"/f": "faster"}), false},
		{"§7 a lock", "/f", "", func(s *share) { s.lock("/f") }, 423, garden(), false},
		{"§7.4 a lock of the collection", "/c/new", "", func(s *share) { s.lock("/c/", "Depth: 0") }, 423, garden(), false},
		{"§7.4 a file that was a member has gone from a locked collection", "/c/m", "", func(s *share) {
			s.wants(204, "DELETE", "/c/m")
			s.lock("/c/", "Depth: 0")
		}, 423, garden().without("/c/m"), false},
		{"§9.7.2 a collection", "/new", "", func(s *share) { s.wants(201, "MKCOL", "/new/") }, 405, garden().with(layout{"/new/": ""}), false},
		{"a file that has gone", "/f", "", func(s *share) { s.wants(204, "DELETE", "/f") }, 201, garden().with(layout{"/f": "put"}), false},
		{"§9.7.1 the parent has gone", "/c/s/d", "", func(s *share) { s.wants(204, "DELETE", "/c/") }, 409, garden().without("/c"), false},
		{"§9.7.1 the parent has moved", "/c/s/d", "", func(s *share) {
			s.wants(201, "MOVE", "/c/", "Destination: /new/")
		}, 409, garden().without("/c").with(garden().at("/c", "/new")), true},
		{"another parent is there", "/c/s/d", "", func(s *share) {
			s.wants(201, "MOVE", "/c/", "Destination: /new/")
			s.wants(201, "MKCOL", "/c/")
			s.wants(201, "MKCOL", "/c/s/")
		}, 201, garden().without("/c").with(garden().at("/c", "/new")).with(layout{"/c/": "", "/c/s/": "", "/c/s/d": "put"}), true},
		{"the parent was displaced", "/c/m", "", func(s *share) {
			s.wants(204, "COPY", "/o/", "Destination: /c/")
		}, 204, garden().without("/c").with(garden().at("/o", "/c")).with(layout{"/c/m": "put"}), true},
		{"a file is in the place of the parent", "/c/s/d", "", func(s *share) {
			s.wants(204, "COPY", "/f", "Destination: /c")
		}, 409, garden().without("/c").with(layout{"/c": "file"}), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := func(s *share) {
				connection := s.dial()
				etag := s.do("HEAD", c.target).header.Get("ETag")
				connection.write("PUT " + c.target + " HTTP/1.1\nExpect: 100-continue\nContent-Length: 3\n" + strings.ReplaceAll(c.fields, "{etag}", etag) + "\n")
				if got := connection.status(); got != 100 {
					s.Fatalf("%d, want 100", got)
				}
				connection.write("pu")
				c.between(s)
				connection.write("t")
				if a := connection.response(); a.status != c.status {
					s.Errorf("%d, want %d: %s", a.status, c.status, a.body)
				}
				s.holds(c.want)
			}
			if c.away {
				run(serveLocal(t, &dav.Handler{}, garden()))
			} else {
				onBackends(t, garden(), run)
			}
		})
	}
}

// TestDuringCopy checks that a PUT or MKCOL into the destination of a running COPY
// waits, and is refused if that takes long.
func TestDuringCopy(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	reached, open := make(chan struct{}), make(chan struct{})
	s.before = func(op, name string) error {
		if op == "open" && name == "/c/m" {
			close(reached)
			<-open
		}
		return nil
	}
	copied := make(chan answer, 1)
	go func() {
		a, err := send(t, s.server, "COPY", "/c/", "", "Destination: /o/")
		if err != nil {
			t.Error(err)
		}
		copied <- a
	}()
	<-reached
	s.sends(423, "PUT", "/o/new", "x")
	s.wants(423, "MKCOL", "/o/new")
	s.sends(204, "PUT", "/f", "x")
	close(open)
	if a := <-copied; a.status != 204 {
		t.Errorf("COPY: %d %s", a.status, a.body)
	}
	s.sends(201, "PUT", "/o/new", "x")
	s.holds(garden().without("/o").with(garden().at("/c", "/o")).with(layout{"/f": "x", "/o/new": "x"}))
}

// TestPutRace checks that exactly one of many PUTs with the same condition succeeds,
// with its whole content.
func TestPutRace(t *testing.T) {
	const clients = 16
	for _, c := range []struct {
		name, target, condition string
		won                     int
	}{
		{"RFC 9110 §13.1.1 If-Match", "/f", "If-Match: {etag}", 204},
		{"RFC 9110 §13.1.2 If-None-Match: *", "/new", "If-None-Match: *", 201},
		{"§10.4 If with an entity tag", "/f", "If: ([{etag}])", 204},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				etag := s.do("HEAD", c.target).header.Get("ETag")
				condition := strings.ReplaceAll(c.condition, "{etag}", etag)
				var mu sync.Mutex
				statuses, winner := make(map[int]int), ""
				var running sync.WaitGroup
				for i := range clients {
					running.Go(func() {
						content := strings.Repeat(fmt.Sprintf("content of client %02d ", i), 10_000)
						a, err := send(s.TB, s.server, "PUT", c.target, content, condition)
						if err != nil {
							s.Error(err)
						}
						mu.Lock()
						defer mu.Unlock()
						if statuses[a.status]++; a.status == c.won {
							winner = content
						}
					})
				}
				running.Wait()
				if statuses[c.won] != 1 || statuses[412] != clients-1 {
					s.Errorf("%v, want one %d and %d times 412", statuses, c.won, clients-1)
				}
				s.holds(garden().with(layout{c.target: winner}))
			})
		})
	}
}

// zeros is a body of the given number of zero bytes.
type zeros int64

func (z *zeros) Read(p []byte) (int, error) {
	if *z == 0 {
		return 0, io.EOF
	}
	n := min(len(p), int(*z))
	*z -= zeros(n)
	return n, nil
}

// TestPutStreams checks that a longer body takes no more memory.
func TestPutStreams(t *testing.T) {
	const size = 128 << 20
	s := serveLocal(t, &dav.Handler{}, nil)
	body := zeros(size)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.server.URL+"/big", &body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; response.StatusCode != http.StatusCreated || allocated > 8<<20 {
		t.Errorf("%s; %d KiB for a body of %d", response.Status, allocated>>10, size>>10)
	}
	if info, err := s.fsys.Stat(t.Context(), "/big"); err != nil || info.Size() != size {
		t.Errorf("%v, %v", info, err)
	}
}

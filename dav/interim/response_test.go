package interim

import (
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/dav/internal/wiretest"
)

// step is a call of the response by the handler or the emitter. It returns 1
// when it claims to have sent an interim response.
type step func(r *Response) int

var (
	stepInterim step = func(r *Response) int {
		if r.interim(http.Header{"Progress": {"1/2"}}) {
			return 1
		}
		return 0
	}
	stepAlive  step = func(r *Response) int { r.keepAlive(); return 0 }
	stepHeader step = func(r *Response) int { r.Header().Set("Etag", `"x"`); return 0 }
	stepStatus step = func(r *Response) int { r.WriteHeader(http.StatusMultiStatus); return 0 }
	stepStream step = func(r *Response) int { r.StreamMultistatus(); return 0 }
	stepFlush  step = func(r *Response) int { r.Flush(); return 0 }
	stepFinish step = func(r *Response) int { _ = r.Finish(); return 0 }
)

func stepWrite(s string) step {
	return func(r *Response) int { _, _ = r.Write([]byte(s)); return 0 }
}

// handlerScripts are sequences of calls that a handler may make; the last step is
// always finish.
var handlerScripts = map[string]struct {
	steps []step
	body  string
}{
	"empty":    {[]step{stepHeader, stepStatus, stepFinish}, ""},
	"held":     {[]step{stepHeader, stepStatus, stepWrite("<a/>"), stepWrite("<b/>"), stepFinish}, "<a/><b/>"},
	"stream":   {[]step{stepStream, stepStatus, stepWrite("<a/>"), stepWrite("<b/>"), stepFinish}, "<a/><b/>"},
	"flushed":  {[]step{stepStream, stepStatus, stepWrite("<a/>"), stepFlush, stepWrite("<b/>"), stepFinish}, "<a/><b/>"},
	"early":    {[]step{stepFlush, stepStream, stepWrite("<a/>"), stepFinish}, "<a/>"},
	"overflow": {[]step{stepStream, stepStatus, stepWrite("<a/>"), stepWrite(big), stepWrite("<b/>"), stepFinish}, "<a/>" + big + "<b/>"},
}

var big = "<" + strings.Repeat("x", holdLimit) + "/>"

// TestResponseEveryInterleaving runs the calls of the emitter and of the handler in
// every possible order. The calls exclude each other, so these are all interleavings of
// the two goroutines.
func TestResponseEveryInterleaving(t *testing.T) {
	emitter := []step{stepInterim, stepAlive, stepInterim, stepAlive, stepInterim}
	for name, script := range handlerScripts {
		t.Run(name, func(t *testing.T) {
			n := 0
			interleave(nil, script.steps, emitter, func(order []step) {
				n++
				res, w := newTestResponse(t, &http.Server{})
				claimed := 0
				for _, s := range order {
					claimed += s(res)
				}
				if err := w.Check(); err != nil {
					t.Fatalf("order %d: %v", n, err)
				}
				if sent := len(w.Interims()); sent != claimed {
					t.Fatalf("order %d: %d interim responses sent, %d claimed", n, sent, claimed)
				}
				checkBody(t, w, script.body)
			})
			if want := binomial(len(script.steps)+len(emitter), len(emitter)); n != want {
				t.Fatalf("%d orders tried, there are %d", n, want)
			}
		})
	}
}

// checkBody compares the body without the newlines of keepAlive, none of which may come
// first.
func checkBody(tb testing.TB, w *wiretest.Wire, want string) {
	tb.Helper()
	got := w.Body()
	if strings.HasPrefix(got, "\n") {
		tb.Fatal("a newline stands before the XML declaration")
	}
	if plain := strings.ReplaceAll(got, "\n", ""); plain != want {
		tb.Fatalf("body: %d bytes, want %d", len(plain), len(want))
	}
}

// interleave calls visit with every merge of a and b.
func interleave(done, a, b []step, visit func([]step)) {
	if len(a) == 0 || len(b) == 0 {
		visit(slices.Concat(done, a, b))
		return
	}
	interleave(append(slices.Clone(done), a[0]), a[1:], b, visit)
	interleave(append(slices.Clone(done), b[0]), a, b[1:], visit)
}

func binomial(n, k int) int {
	result := 1
	for i := 1; i <= k; i++ {
		result = result * (n - k + i) / i
	}
	return result
}

// TestResponseRace runs the calls in goroutines, for the race detector.
func TestResponseRace(t *testing.T) {
	for name, script := range handlerScripts {
		t.Run(name, func(t *testing.T) {
			for range 200 {
				res, w := newTestResponse(t, &http.Server{})
				var wg sync.WaitGroup
				claimed := 0
				wg.Go(func() {
					for range 50 {
						claimed += stepInterim(res)
						stepAlive(res)
					}
				})
				for _, s := range script.steps {
					s(res)
				}
				wg.Wait()
				if err := w.Check(); err != nil {
					t.Fatal(err)
				}
				if sent := len(w.Interims()); sent != claimed {
					t.Fatalf("%d interim responses sent, %d claimed", sent, claimed)
				}
				checkBody(t, w, script.body)
			}
		})
	}
}

// FuzzResponseOrder lets the fuzzer choose the calls.
func FuzzResponseOrder(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 0, 4, 5, 0, 1, 6, 0, 7})
	f.Add([]byte{7, 0, 0, 1})
	steps := []step{stepInterim, stepAlive, stepHeader, stepStatus, stepWrite("<a/>"), stepStream, stepFlush, stepFinish, stepWrite(big)}
	f.Fuzz(func(t *testing.T, calls []byte) {
		res, w := newTestResponse(t, &http.Server{})
		claimed := 0
		for _, c := range calls[:min(len(calls), 100)] { // a body that fits in memory
			claimed += steps[int(c)%len(steps)](res)
		}
		stepFinish(res)
		if stepInterim(res) != 0 {
			t.Fatal("an interim response after the end")
		}
		if err := w.Check(); err != nil {
			t.Fatal(err)
		}
		if sent := len(w.Interims()); sent != claimed {
			t.Fatalf("%d interim responses sent, %d claimed", sent, claimed)
		}
		if strings.HasPrefix(w.Body(), "\n") {
			t.Fatal("a newline stands before the XML declaration")
		}
	})
}

// TestResponseHeaders checks that headers of middleware and of the handler are on the
// final response only.
func TestResponseHeaders(t *testing.T) {
	res, w := newTestResponse(t, &http.Server{})
	for _, name := range []string{"Lock-Token", "Etag", "Content-Type", "Connection"} {
		res.Header().Set(name, "final")
	}
	stepInterim(res)
	res.WriteHeader(http.StatusCreated)
	stepInterim(res)
	stepFinish(res)
	if err := w.Check(); err != nil {
		t.Fatal(err)
	}
	final := w.Events[len(w.Events)-1]
	if final.Status != http.StatusCreated {
		t.Fatalf("status %d", final.Status)
	}
	for _, name := range []string{"Lock-Token", "Etag", "Content-Type", "Connection", "X-Outer"} {
		if final.Header.Get(name) == "" {
			t.Errorf("the final response lacks %s", name)
		}
	}
}

// TestResponseWriteDeadline is rule 6: the server's WriteTimeout starts anew
// with each write, and does not run while there is nothing to write.
func TestResponseWriteDeadline(t *testing.T) {
	const timeout = time.Hour
	res, w := newTestResponse(t, &http.Server{WriteTimeout: timeout})
	if !w.Deadline.IsZero() {
		t.Fatal("the deadline runs before anything is written")
	}
	stepInterim(res)
	if !w.Deadline.IsZero() {
		t.Fatal("the deadline runs between two interim responses")
	}
	stepWrite("body")(res)
	stepFinish(res)
	for i, e := range w.Events {
		if left := e.Deadline.Sub(e.At); left <= timeout/2 || left > timeout {
			t.Errorf("event %d: %v left to write", i, left)
		}
	}
	if len(w.Events) != 3 {
		t.Fatalf("%d events", len(w.Events))
	}
}

// TestResponseStall checks that without a WriteTimeout the client must read each
// streamed part within stall. A whole response has more time, and the next response on
// the connection starts anew.
func TestResponseStall(t *testing.T) {
	const stall = time.Hour
	for _, c := range []struct {
		name string
		body int
		want bool
	}{
		{name: "held", body: holdLimit},
		{name: "streamed", body: holdLimit + 1, want: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, w := newTestResponse(t, &http.Server{})
			res.stall = stall
			stepWrite(strings.Repeat("x", c.body))(res)
			stepFinish(res)
			for i, e := range w.Events {
				left := e.Deadline.Sub(e.At)
				if limited := left > stall/2 && left <= stall; limited != c.want {
					t.Errorf("event %d: %v left to write", i, left)
				}
			}
			if !w.Deadline.IsZero() || len(w.Events) != 2 {
				t.Errorf("%d events, and a deadline %v behind them", len(w.Events), w.Deadline)
			}
		})
	}
}

// TestResponseRandomSizes checks that the body arrives completely for any sizes of the
// writes, with a Content-Length if it was held.
func TestResponseRandomSizes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		res, w := newTestResponse(t, &http.Server{})
		var want strings.Builder
		for range random.IntN(20) {
			part := strings.Repeat("y", random.IntN(holdLimit/4))
			want.WriteString(part)
			stepWrite(part)(res)
		}
		stepFinish(res)
		if got := w.Body(); got != want.String() {
			t.Fatalf("body of %d bytes, want %d", len(got), want.Len())
		}
		length := w.Events[0].Header.Get("Content-Length")
		if held := want.Len() <= holdLimit; held != (length != "") {
			t.Fatalf("body of %d bytes, Content-Length %q", want.Len(), length)
		}
	}
}

// TestResponseSpare checks that the next response reuses the emptied memory of a
// response, but not of a long body nor of one with a write error, which HTTP/2 may
// still be reading.
func TestResponseSpare(t *testing.T) {
	for _, tt := range []struct {
		name  string
		body  int
		fails bool
		kept  bool
	}{
		{"short", 100, false, true},
		{"long", maxSpareBody + 1, false, false},
		{"streamed", holdLimit + 1, false, false},
		{"not written", 100, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, w := wiretest.RequestOn(t, &http.Server{}), wiretest.New()
			var outer http.ResponseWriter = w
			if tt.fails {
				outer = deafWire{w}
			}
			res := NewResponse(outer, r, 0, nil)
			res.body = nil // what other tests have left
			spare := res.spare
			res.Header().Set("ETag", `"x"`)
			_, _ = res.Write(make([]byte, tt.body))
			if err := res.Finish(); (err != nil) != tt.fails {
				t.Fatal(err)
			}
			if len(spare.header) != 0 || len(spare.body) != 0 {
				t.Errorf("%v and %d bytes are left", spare.header, len(spare.body))
			}
			if kept := cap(spare.body) > 0; kept != tt.kept {
				t.Errorf("the body's memory is kept: %v, want %v", kept, tt.kept)
			}
		})
	}
}

// deafWire is a connection whose writes all fail.
type deafWire struct{ *wiretest.Wire }

func (deafWire) Write([]byte) (int, error) { return 0, net.ErrClosed }

// newTestResponse returns a response on a new wire, and the wire. outer has headers
// that middleware has set before.
func newTestResponse(tb testing.TB, server *http.Server) (*Response, *wiretest.Wire) {
	tb.Helper()
	r := wiretest.RequestOn(tb, server)
	w := wiretest.New()
	w.Header().Set("X-Outer", "kept for the final response")
	return NewResponse(w, r, 0, nil), w
}

package streams

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"
)

// TestHandlerLimits checks that HTTP/2 requests beyond the limits are refused, and that each
// address has its own limit.
func TestHandlerLimits(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	var reported error
	h := &Handler{Most: 3, MostOf: 2, Refused: func(_ *http.Request, err error) { reported = err }}
	h.Next = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-end
	})
	ended := make(chan *httptest.ResponseRecorder)
	ask := func(major int, remote string) {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.ProtoMajor, r.RemoteAddr = major, remote
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		ended <- w
	}
	running := 0
	for _, c := range []struct {
		name, remote string
		major        int
		refused      bool
	}{
		{"first", "192.0.2.1:1", 2, false},
		{"second of the address", "192.0.2.1:2", 2, false},
		{"third of the address", "[::ffff:192.0.2.1]:3", 2, true},
		{"another address", "[2001:db8::1]:1", 2, false},
		{"beyond all", "[2001:db8::2]:1", 2, true},
		{"HTTP/1", "192.0.2.1:4", 1, false},
	} {
		reported = nil
		go ask(c.major, c.remote)
		select {
		case <-begun:
			running++
			if c.refused {
				t.Errorf("%s: served", c.name)
			}
		case w := <-ended:
			if w.Body.Len() > 0 {
				t.Errorf("%s: the client can hold %q", c.name, w.Body)
			}
			if !c.refused || w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || reported == nil {
				t.Errorf("%s: %d, %v", c.name, w.Code, reported)
			}
		}
	}
	close(end)
	for range running {
		<-ended
	}
	if h.all != 0 || len(h.of) != 0 {
		t.Errorf("%d and %v are counted at the end", h.all, h.of)
	}
}

// deadlines is a ResponseWriter that records each write and whether it has a deadline.
type deadlines struct {
	http.ResponseWriter

	until  time.Time
	writes []string // the lengths, with a minus if there is no deadline
}

func (d *deadlines) SetWriteDeadline(until time.Time) error {
	d.until = until
	return nil
}

func (d *deadlines) Write(p []byte) (int, error) {
	sign := ""
	if d.until.IsZero() {
		sign = "-"
	}
	d.writes = append(d.writes, sign+strconv.Itoa(len(p)))
	return len(p), nil
}

// TestHandlerStall checks that each part of an answer that may have to wait for the client has
// a deadline, including the data that is sent after the handler has returned.
func TestHandlerStall(t *testing.T) {
	w := &deadlines{ResponseWriter: httptest.NewRecorder()}
	h := &Handler{Stall: time.Minute, Next: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, length := range []int{100, 5000, 100, 150_000} {
			if n, err := w.Write(bytes.Repeat([]byte("x"), length)); n != length || err != nil {
				t.Errorf("%d bytes of %d written, %v", n, length, err)
			}
		}
	})}
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.ProtoMajor = 2
	h.ServeHTTP(w, r)
	want := []string{"-100", "5000", "-100", "65536", "65536", "18928"}
	if len(w.writes) != len(want) {
		t.Fatalf("%q, want %q", w.writes, want)
	}
	for i := range want {
		if w.writes[i] != want[i] {
			t.Errorf("%q, want %q", w.writes, want)
		}
	}
	if w.until.IsZero() {
		t.Error("no deadline at the end")
	}
}

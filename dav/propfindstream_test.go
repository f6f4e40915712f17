package dav

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// streamed runs write with a stream on a held response and returns what was sent.
func streamed(t *testing.T, write func(t *testing.T, res *response, s *stream)) *wire {
	t.Helper()
	w := newWire()
	synctest.Test(t, func(t *testing.T) {
		res := newResponse(w, httptest.NewRequest("PROPFIND", "/", http.NoBody))
		res.WriteHeader(http.StatusMultiStatus)
		res.streamMultistatus()
		write(t, res, &stream{res: res})
		if err := res.finish(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// writes returns the Writes that were sent.
func (w *wire) writes() []wireEvent {
	var writes []wireEvent
	for _, e := range w.events {
		if e.status == 0 {
			writes = append(writes, e)
		}
	}
	return writes
}

// TestStreamHeld checks that the elements of a held response are in the response, so
// that it can be committed or discarded with all of them.
func TestStreamHeld(t *testing.T) {
	w := streamed(t, func(t *testing.T, res *response, s *stream) {
		for range 3 {
			if err := s.write([]byte("<a/>")); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Second)
		if !res.held() {
			t.Error("it is no longer held")
		}
		if got := string(res.body); got != "<a/><a/><a/>" {
			t.Errorf("held are %q", got)
		}
	})
	if writes := w.writes(); len(writes) != 1 {
		t.Errorf("%d writes, want one", len(writes))
	}
}

// TestStreamGathers checks that many elements in a short time become few Writes, in
// order.
func TestStreamGathers(t *testing.T) {
	const elements = 1000
	element := "<a>" + strings.Repeat("x", 1000) + "</a>"
	w := streamed(t, func(t *testing.T, _ *response, s *stream) {
		for range elements {
			if err := s.write([]byte(element)); err != nil {
				t.Error(err)
			}
		}
		if err := s.end([]byte("<end/>")); err != nil {
			t.Error(err)
		}
	})
	if want := strings.Repeat(element, elements) + "<end/>"; w.body() != want {
		t.Errorf("%d bytes, want %d", len(w.body()), len(want))
	}
	if n := len(w.writes()); n > elements*len(element)/gatherBytes {
		t.Errorf("%d writes", n)
	}
}

// TestStreamWaits checks that an element is flushed after gatherTime at the latest, and
// that a newline is always between two elements.
func TestStreamWaits(t *testing.T) {
	w := streamed(t, func(t *testing.T, res *response, s *stream) {
		if err := res.FlushError(); err != nil {
			t.Error(err)
		}
		for range 5 {
			if err := s.write([]byte("<a/>")); err != nil {
				t.Error(err)
			}
			time.Sleep(gatherTime + time.Millisecond)
			synctest.Wait()
			if !res.flushed {
				t.Error("it has not been flushed")
			}
			res.keepAlive()
			res.keepAlive()
		}
		if err := s.end([]byte("<end/>")); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
	})
	if want := strings.Repeat("<a/>\n", 5) + "<end/>"; w.body() != want {
		t.Errorf("%q, want %q", w.body(), want)
	}
}

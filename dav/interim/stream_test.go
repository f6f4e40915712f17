package interim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav/internal/wiretest"
)

// streamed runs write with a stream on a held response and returns what was sent.
func streamed(t *testing.T, write func(t *testing.T, res *Response, s *Stream)) *wiretest.Wire {
	t.Helper()
	w := wiretest.New()
	synctest.Test(t, func(t *testing.T) {
		res := NewResponse(w, httptest.NewRequest("PROPFIND", "/", http.NoBody), 0, nil)
		res.WriteHeader(http.StatusMultiStatus)
		res.StreamMultistatus()
		write(t, res, &Stream{res: res})
		if err := res.Finish(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// writes returns the Writes that were sent.
func writes(w *wiretest.Wire) []wiretest.Event {
	var writes []wiretest.Event
	for _, e := range w.Events {
		if e.Status == 0 {
			writes = append(writes, e)
		}
	}
	return writes
}

// TestStreamHeld checks that the elements of a held response are in the response, so
// that it can be committed or discarded with all of them.
func TestStreamHeld(t *testing.T) {
	w := streamed(t, func(t *testing.T, res *Response, s *Stream) {
		for range 3 {
			if err := s.Write([]byte("<a/>")); err != nil {
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
	if writes := writes(w); len(writes) != 1 {
		t.Errorf("%d writes, want one", len(writes))
	}
}

// TestStreamGathers checks that many elements in a short time become few Writes, in
// order.
func TestStreamGathers(t *testing.T) {
	const elements = 1000
	element := "<a>" + strings.Repeat("x", 1000) + "</a>"
	w := streamed(t, func(t *testing.T, _ *Response, s *Stream) {
		for range elements {
			if err := s.Write([]byte(element)); err != nil {
				t.Error(err)
			}
		}
		if err := s.End([]byte("<end/>")); err != nil {
			t.Error(err)
		}
	})
	if want := strings.Repeat(element, elements) + "<end/>"; w.Body() != want {
		t.Errorf("%d bytes, want %d", len(w.Body()), len(want))
	}
	if n := len(writes(w)); n > elements*len(element)/GatherBytes {
		t.Errorf("%d writes", n)
	}
}

// TestStreamWaits checks that an element is flushed after gatherTime at the latest, and
// that a newline is always between two elements.
func TestStreamWaits(t *testing.T) {
	w := streamed(t, func(t *testing.T, res *Response, s *Stream) {
		if err := res.FlushError(); err != nil {
			t.Error(err)
		}
		for range 5 {
			if err := s.Write([]byte("<a/>")); err != nil {
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
		if err := s.End([]byte("<end/>")); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
	})
	if want := strings.Repeat("<a/>\n", 5) + "<end/>"; w.Body() != want {
		t.Errorf("%q, want %q", w.Body(), want)
	}
}

package dav

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/requestbody"
)

const (
	// defaultMinRate is Handler.MinRate when that is 0, in bytes per second, as in
	// Apache httpd's mod_reqtimeout.
	defaultMinRate = 500
	// maxUnused is the length of the longest body that a method without a use for it
	// accepts, in bytes.
	maxUnused = 256 << 10
)

// pace is how fast the body of a request must arrive.
func (h *Handler) pace() requestbody.Pace {
	return requestbody.NewPace(h.stallTimeout(), cmp.Or(h.MinRate, defaultMinRate))
}

// settleBody deals with the body of a request whose method has no use for one. What
// changes nothing is answered without it. A change waits for the whole request: a
// client that was cut off in the middle may have meant something else.
func settleBody(r *http.Request) (*http.Request, error) {
	body := requestbody.From(r)
	if body.Whole() {
		return r, nil
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		if body.AnswerFirst(); !body.Whole() {
			// net/http has ended the context when reading failed.
			r = r.WithContext(context.WithoutCancel(r.Context()))
		}
	case http.MethodDelete, "COPY", "MOVE", "UNLOCK":
		err := body.Discard(maxUnused)
		switch {
		case errors.Is(err, requestbody.ErrTooLong):
			return r, &status.Error{
				Status: http.StatusRequestEntityTooLarge,
				Reason: "the method " + r.Method + " has no use for a request body that long",
			}
		case err != nil:
			return r, cutOff(err)
		}
	}
	return r, nil
}

// defaultStall is Handler.StallTimeout when that is 0. Apache httpd and nginx wait
// for a minute.
const defaultStall = 2 * time.Minute

// stallTimeout returns how long a client may hold up what it holds; 0: for ever.
func (h *Handler) stallTimeout() time.Duration {
	if h.StallTimeout == 0 {
		return defaultStall
	}
	return max(h.StallTimeout, 0)
}

// timedWriter is w, to which each part is written within StallTimeout.
type timedWriter struct {
	io.Writer
	control *http.ResponseController
	stall   time.Duration
}

// timedWriter returns w for an answer of which the client has to take each part
// within StallTimeout, where the server has no WriteTimeout. done is to be called at
// its end.
func (h *Handler) timedWriter(w http.ResponseWriter, r *http.Request) (timed io.Writer, done func()) {
	stall := h.stallTimeout()
	if stall <= 0 || interim.WriteTimeout(r) > 0 {
		return w, func() {}
	}
	control := http.NewResponseController(w)
	return &timedWriter{w, control, stall}, func() { _ = control.SetWriteDeadline(time.Time{}) }
}

func (t *timedWriter) Write(p []byte) (int, error) {
	_ = t.control.SetWriteDeadline(time.Now().Add(t.stall)) // or it takes what time it takes
	return t.Writer.Write(p)
}

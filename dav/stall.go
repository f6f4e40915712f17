package dav

import (
	"io"
	"net/http"
	"time"

	"github.com/davd/davd/dav/interim"
)

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

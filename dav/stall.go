package dav

import (
	"io"
	"net/http"
	"time"
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

// timedBody gives up a request body of which nothing comes for as long as stall.
type timedBody struct {
	io.Reader
	control *http.ResponseController
	stall   time.Duration
}

// timed returns the body of r, which is read within the server's ReadTimeout or,
// where there is none, in parts that each come within StallTimeout. done is to be
// called at its end.
func (h *Handler) timed(w http.ResponseWriter, r *http.Request) (body io.Reader, done func()) {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	stall := h.stallTimeout()
	if stall <= 0 || server == nil || server.ReadTimeout > 0 {
		return r.Body, func() {}
	}
	control := http.NewResponseController(w)
	return &timedBody{r.Body, control, stall}, func() { _ = control.SetReadDeadline(time.Time{}) }
}

func (b *timedBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(b.stall)) // or it takes what time it takes
	return b.Reader.Read(p)
}

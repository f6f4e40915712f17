package dav

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
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
			return r, status.New(http.StatusRequestEntityTooLarge, "the method "+r.Method+" has no use for a request body that long")

		case err != nil:
			return r, cutOff(err)
		}
	}
	return r, nil
}

// defaultStall is Handler.StallTimeout when that is 0. Apache httpd and nginx wait
// for a minute.
const defaultStall = 2 * time.Minute

// stallTimeout returns StallTimeout, or 0 for no limit.
func (h *Handler) stallTimeout() time.Duration {
	if h.StallTimeout == 0 {
		return defaultStall
	}
	return max(h.StallTimeout, 0)
}

// timedWriter limits the time of each Write by stall.
type timedWriter struct {
	io.Writer
	control *http.ResponseController
	stall   time.Duration
}

// timedTo returns w for an answer of which the client must take each part within stall,
// unless the server has a WriteTimeout. The caller must call done at the end.
func timedTo(w http.ResponseWriter, r *http.Request, stall time.Duration) (timed io.Writer, done func()) {
	if stall <= 0 || interim.WriteTimeout(r) > 0 {
		return w, func() {}
	}
	control := http.NewResponseController(w)
	return &timedWriter{w, control, stall}, func() { _ = control.SetWriteDeadline(time.Time{}) }
}

func (t *timedWriter) Write(p []byte) (int, error) {
	_ = t.control.SetWriteDeadline(time.Now().Add(t.stall)) // without a deadline if the server can't set one
	return t.Writer.Write(p)
}

// cutOff returns the error for the client if reading the request body failed with err.
func cutOff(err error) error {
	tooLarge, ok := errors.AsType[*http.MaxBytesError](err)
	switch {
	case ok:
		return status.New(http.StatusRequestEntityTooLarge, "the request body is longer than "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes")

	case errors.Is(err, os.ErrDeadlineExceeded):
		return status.New(http.StatusRequestTimeout, "the request body did not arrive in time; nothing was changed")
	}
	return status.New(http.StatusBadRequest, "the request body was cut off; nothing was changed")
}

package dav

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/davd/davd/storage/history"
)

// errStopped is the cause with which an operation is stopped on request.
var errStopped = errors.New("stopped on request")

// stopPatience is how long a DELETE waits for the operation to roll back.
const stopPatience = 10 * time.Second

// stopped is the error of op when it is stopped on request. It is a 403, which says
// that the client is not to repeat it (RFC 9110 §15.5.4); a 503 would have it
// begin again.
func stopped(op *operation) error {
	reason := "stopped on request; the destination is as it was"
	if op.Destination == "" {
		reason = "stopped on request; what it had removed is gone"
	}
	if op.Method == "PROPFIND" {
		reason = "stopped on request"
	}
	return errors.Join(errStopped, &statusError{status: http.StatusForbidden, reason: reason})
}

// errTooLate answers who wants to stop what can't be stopped any more.
var errTooLate = &statusError{
	status: http.StatusConflict,
	reason: "it could not be stopped any more, and has ended; its status document says how",
}

// errStopping answers who has waited for the end of a rollback for long enough.
var errStopping = &statusError{
	status: http.StatusAccepted,
	reason: "it is told to stop, and either rolls back or can't be stopped any more; its status document says how it ends",
}

// deleteOperation stops an operation that is under way, or forgets one that has
// ended.
func (h *Handler) deleteOperation(ctx context.Context, view *operationView) (status int, err error) {
	if !view.record.Ended.IsZero() {
		if err := h.forget(ctx, view.record.ID); err != nil {
			return statusOf(err), err
		}
		return http.StatusNoContent, nil
	}
	op := view.op
	op.context.cancel(stopped(op))
	timer := time.NewTimer(stopPatience)
	defer timer.Stop()
	select {
	case <-h.operations.ended(op):
	case <-timer.C:
		return statusOf(errStopping), errStopping
	case <-ctx.Done():
		return statusOf(ctx.Err()), ctx.Err()
	}
	if h.operations.record(op).State != history.Stopped {
		return statusOf(errTooLate), errTooLate
	}
	return http.StatusNoContent, nil
}

// maxForm is how long the form of a page may be, in bytes.
const maxForm = 1 << 10

// postOperation is deleteOperation for the page of a browser, whose forms can't send
// a DELETE. Only the page itself may send it.
func (h *Handler) postOperation(w http.ResponseWriter, r *http.Request, view *operationView) (status int, err error) {
	if err := checkForm(r); err != nil {
		return statusOf(err), err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return refuse(http.StatusBadRequest, "the form can't be read")
	}
	ended := !view.record.Ended.IsZero()
	// The page may be of before the end.
	switch does := r.PostForm.Get("do"); {
	case does != "stop" && does != "forget":
		return refuse(http.StatusBadRequest, "the form must say stop or forget")
	case does == "forget" && !ended, does == "stop" && ended:
		return seeOther(w, view.record.ID)
	}
	status, err = h.deleteOperation(r.Context(), view)
	switch {
	case err != nil && !errors.Is(err, errTooLate) && !errors.Is(err, errStopping):
		return status, err
	case ended:
		return seeOther(w, "./")
	}
	return seeOther(w, view.record.ID)
}

// seeOther sends the browser to where, relative to the request URI: a proxy in front
// may have changed its path.
func seeOther(w http.ResponseWriter, where string) (status int, err error) {
	w.Header().Set("Location", where)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusSeeOther)
	return 0, nil
}

// errNoOrigin is for a form that no page of this server has sent, as far as can be
// told.
var errNoOrigin = &statusError{
	status: http.StatusForbidden,
	reason: "neither Sec-Fetch-Site nor Origin says which page has sent the form; what is not a browser sends DELETE",
}

// checkForm makes sure that a page of this server sends the form. A browser names
// the page in one of two headers at least, and checkCrossOrigin has looked at them.
func checkForm(r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return errNoOrigin
	}
	return nil
}

package operation

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/history"
)

// errStopped is the cause when a request stops an operation.
var errStopped = errors.New("stopped on request")

// stopPatience is how long a DELETE waits for the operation to roll back.
const stopPatience = 10 * time.Second

// stopped returns the error of op after a request stopped it. The status is 403, after
// which a client should not repeat its request (RFC 9110 §15.5.4). After a 503 it would.
func stopped(op *operation) error {
	reason := "stopped on request; the destination is as it was"
	if op.Destination == "" {
		reason = "stopped on request; members removed before that are gone"
	}
	if op.Method == "PROPFIND" {
		reason = "stopped on request"
	}
	return errors.Join(errStopped, &status.Error{Status: http.StatusForbidden, Reason: reason})
}

// errTooLate is the answer if the operation ended in spite of the request to stop it.
var errTooLate = &status.Error{
	Status: http.StatusConflict,
	Reason: "it was too late to stop the operation; its status document has the result",
}

// errStopping is the answer if the operation has not ended within stopPatience.
var errStopping = &status.Error{
	Status: http.StatusAccepted,
	Reason: "the operation is rolling back, or it is too late to stop it; its status document will have the result",
}

// deleteOperation stops a running operation, or forgets one that has ended.
func (s *Registry) deleteOperation(ctx context.Context, view *operationView) error {
	if !view.record.Ended.IsZero() {
		if err := s.forget(ctx, view.record.ID); err != nil {
			return err
		}
		return nil
	}
	op := view.op
	op.cancel(stopped(op))
	timer := time.NewTimer(stopPatience)
	defer timer.Stop()
	select {
	case <-op.done:
	case <-timer.C:
		return errStopping
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.record(op).State != history.Stopped {
		return errTooLate
	}
	return nil
}

// maxForm limits the form of a page, in bytes.
const maxForm = 1 << 10

// postOperation is deleteOperation for a page in a browser, whose forms can't send a
// DELETE. It refuses forms from other sites.
func (s *Registry) postOperation(w http.ResponseWriter, r *http.Request, view *operationView) error {
	if err := checkForm(r); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return status.New(http.StatusBadRequest, "the form can't be read")
	}
	ended := !view.record.Ended.IsZero()
	// The browser may show a page from before the end of the operation.
	switch does := r.PostForm.Get("do"); {
	case does != "stop" && does != "forget":
		return status.New(http.StatusBadRequest, "the form must say stop or forget")
	case does == "forget" && !ended, does == "stop" && ended:
		return seeOther(w, view.record.ID)
	}
	err := s.deleteOperation(r.Context(), view)
	switch {
	case err != nil && !errors.Is(err, errTooLate) && !errors.Is(err, errStopping):
		return err
	case ended:
		return seeOther(w, "./")
	}
	return seeOther(w, view.record.ID)
}

// seeOther sends the browser to where. That is relative to the request URI, because a
// proxy in front may have changed the path.
func seeOther(w http.ResponseWriter, where string) error {
	w.Header().Set("Location", where)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// errNoOrigin is for a form that may come from another site.
var errNoOrigin = &status.Error{
	Status: http.StatusForbidden,
	Reason: "neither Sec-Fetch-Site nor Origin says which page sent the form; a client that is not a browser must send DELETE",
}

// checkForm makes sure that a page of this server sent the form. Browsers name the page
// in at least one of two headers, whose values checkCrossOrigin has checked.
func checkForm(r *http.Request) error {
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return errNoOrigin
	}
	return nil
}

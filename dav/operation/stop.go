package operation

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/davd/davd/dav/internal/origin"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/history"
)

// stopPatience is how long a DELETE waits for the operation to roll back.
const stopPatience = 10 * time.Second

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

// delete stops a running operation, or forgets an ended one.
func (d Documents) delete(r *http.Request, op *operation, v *view) error {
	if !v.running() {
		return d.Registry.forget(r.Context(), v.ID)
	}
	by := history.Client
	switch {
	case d.owns(r, v):
		by = history.Owner
	case v.Principal != "":
		by = history.Administrator
	}
	return d.Registry.stop(r.Context(), op, by)
}

// owns reports whether r comes from the person whose request began the operation.
func (d Documents) owns(r *http.Request, v *view) bool {
	return v.Principal == d.Access.Principal(r) && (v.Principal != "" || d.Access.OnePerson())
}

// Stop stops the running operation id for an administrator, and waits until it has rolled back, for at most ten
// seconds. The error is for a person.
func (s *Registry) Stop(ctx context.Context, id string) error {
	op := s.find(id)
	if op == nil {
		known, err := s.load(ctx, id)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && (known.Record.State != history.Running || !known.Alive):
			return errNoOperation
		case err != nil:
			return err
		}
		op = s.newFar(ctx, known, Key{})
	}
	return s.stop(ctx, op, history.Administrator)
}

// stop is Stop for op. It returns errStopping if the operation has not ended in time.
func (s *Registry) stop(ctx context.Context, op *operation, by history.Stopper) error {
	defer s.watch(op)()
	op.stop(by, s.server.Stopped(s.look(op)))
	timer := time.NewTimer(stopPatience)
	defer timer.Stop()
	select {
	case <-op.done:
	case <-timer.C:
		return errStopping
	case <-ctx.Done():
		return ctx.Err()
	}
	if endState(op.err) != history.Stopped {
		return errTooLate
	}
	return nil
}

// maxForm limits the form of a page, in bytes.
const maxForm = 1 << 10

// post is delete for a page in a browser, whose forms can't send a
// DELETE. It refuses forms from other sites.
func (d Documents) post(w http.ResponseWriter, r *http.Request, op *operation, v *view) error {
	if err := origin.CheckForm(r); err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return status.New(http.StatusBadRequest, "the form can't be read")
	}
	ended := !v.running()
	// The browser may show a page from before the end of the operation.
	switch does := r.PostForm.Get("do"); {
	case does != "stop" && does != "forget":
		return status.New(http.StatusBadRequest, "the form must say stop or forget")
	case does == "forget" && !ended, does == "stop" && ended:
		return seeOther(w, v.ID)
	}
	err := d.delete(r, op, v)
	switch {
	case err != nil && !errors.Is(err, errTooLate) && !errors.Is(err, errStopping):
		return err
	case ended:
		return seeOther(w, "./")
	}
	return seeOther(w, v.ID)
}

// seeOther sends the browser to where. That is relative to the request URI, because a
// proxy in front may have changed the path.
func seeOther(w http.ResponseWriter, where string) error {
	w.Header().Set("Location", where)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

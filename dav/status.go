package dav

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"syscall"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// ErrShutdown is the cause with which [Handler.Shutdown] stops an operation.
var ErrShutdown = errors.New("the server is shutting down")

// statusError is an error that is fit for a client's eyes, with its status.
type statusError struct {
	status int
	reason string
}

func (e *statusError) Error() string { return e.reason }

// refuse returns a status and its reason.
func refuse(status int, reason string) (int, error) {
	return status, &statusError{status, reason}
}

// statuses says which status stands for which error. The first match counts.
var statuses = []struct {
	err    error
	status int
}{
	{tree.ErrOverlap, http.StatusForbidden},
	{tree.ErrLoop, http.StatusLoopDetected},
	{ErrShutdown, http.StatusServiceUnavailable},
	{context.Canceled, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, http.StatusServiceUnavailable},
	{webdav.ErrLocked, http.StatusLocked},
	{webdav.ErrConfirmationFailed, http.StatusPreconditionFailed},
	{syscall.EROFS, http.StatusForbidden},
	{syscall.ENAMETOOLONG, http.StatusForbidden},
	{fs.ErrNotExist, http.StatusNotFound},
	// Below a file: what a webdav.Dir says of it.
	{syscall.ENOTDIR, http.StatusNotFound},
	{fs.ErrPermission, http.StatusForbidden},
	{fs.ErrExist, http.StatusConflict},
	{fs.ErrInvalid, http.StatusForbidden},
	{errors.ErrUnsupported, http.StatusForbidden},
}

// statusOf returns the status that stands for err; 0 for nil.
func statusOf(err error) int {
	var own *statusError
	var partial *tree.PartialError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &partial):
		return http.StatusMultiStatus
	case storage.NoSpace(err):
		return http.StatusInsufficientStorage
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	return http.StatusInternalServerError
}

// respond writes a final response that has no content of its own. Of err it
// shows what was made for a client's eyes, never a name of the storage.
func respond(w http.ResponseWriter, status int, err error) {
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	body := strconv.Itoa(status) + " " + http.StatusText(status)
	var own *statusError
	switch {
	case errors.As(err, &own):
		body += ": " + own.reason
	case errors.Is(err, tree.ErrOverlap):
		body += ": " + tree.ErrOverlap.Error()
	case errors.Is(err, ErrShutdown):
		body += ": " + ErrShutdown.Error()
	}
	body += "\n"
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // the client has gone, or not
}

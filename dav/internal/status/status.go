// Package status turns errors into HTTP statuses and into the texts that a client sees. It
// never shows a name in the storage.
package status

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"syscall"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/lock"
)

// ErrShutdown is the cause if a shutdown stops an operation.
var ErrShutdown = errors.New("the server is shutting down")

// Error is an error whose status and text a client may see.
type Error struct {
	Status int
	Reason string
	// Condition is a precondition or postcondition code (RFC 4918 §16), the name of an
	// element in the namespace DAV:. If it is set, the response is XML.
	Condition string
	// Hrefs are the hrefs in the condition, escaped.
	Hrefs []string
}

func (e *Error) Error() string { return e.Reason }

// New returns the error for a request that gets status and reason as its answer.
func New(status int, reason string) *Error {
	return &Error{Status: status, Reason: reason}
}

// statuses maps errors to statuses. The first match counts.
var statuses = []struct {
	err    error
	status int
}{
	{storage.ErrOverlap, http.StatusForbidden},
	{storage.ErrLoop, http.StatusLoopDetected},
	{storage.ErrSourceChanged, http.StatusConflict},
	{storage.ErrTooManyMembers, http.StatusInsufficientStorage},
	{storage.ErrTooDeep, http.StatusForbidden},
	{ErrShutdown, http.StatusServiceUnavailable},
	{context.Canceled, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, http.StatusServiceUnavailable},
	{webdav.ErrLocked, http.StatusLocked},
	{cluster.ErrClaimed, http.StatusLocked},
	{webdav.ErrConfirmationFailed, http.StatusPreconditionFailed},
	{lock.ErrLimit, http.StatusServiceUnavailable},
	{storage.ErrState, http.StatusServiceUnavailable},
	{storage.ErrUnavailable, http.StatusServiceUnavailable},
	{syscall.EROFS, http.StatusForbidden},
	{syscall.ENAMETOOLONG, http.StatusForbidden},
	{syscall.EISDIR, http.StatusMethodNotAllowed},
	// The resource's state prevents the request, and the operator can change that:
	// something is mounted there or has it open (RFC 9110 §15.5.10).
	{syscall.EBUSY, http.StatusConflict},
	{fs.ErrNotExist, http.StatusNotFound},
	// A webdav.Dir returns this for a name below a file.
	{syscall.ENOTDIR, http.StatusNotFound},
	{fs.ErrPermission, http.StatusForbidden},
	{fs.ErrExist, http.StatusConflict},
	{fs.ErrInvalid, http.StatusForbidden},
	{errors.ErrUnsupported, http.StatusForbidden},
}

// withStatus is an error of another package that knows its status.
type withStatus interface {
	error
	HTTPStatus() int
}

// Of returns the status for err, or 0 for nil.
func Of(err error) int {
	if err == nil {
		return 0
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return own.Status
	}
	if other, ok := errors.AsType[withStatus](err); ok {
		return other.HTTPStatus()
	}
	if invalid, ok := errors.AsType[*field.Error](err); ok {
		return invalid.Status
	}
	if errors.Is(err, storage.ErrPartial) {
		return http.StatusMultiStatus
	}
	switch {
	case storage.NoSpace(err):
		return http.StatusInsufficientStorage
	case storage.TooLarge(err):
		return http.StatusRequestEntityTooLarge
	case storage.OutOfFiles(err):
		return http.StatusServiceUnavailable
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	return http.StatusInternalServerError
}

// loggedError is an error that only the log gets: the client has its answer already, or
// the error does not change it.
type loggedError struct{ error }

func (e *loggedError) Unwrap() error { return e.error }

// Logged marks err as one for the log only. It returns nil for nil.
func Logged(err error) error {
	if err == nil || Answered(err) {
		return err
	}
	return &loggedError{err}
}

// Answered reports whether a handler that returned err has answered the request.
func Answered(err error) bool {
	_, only := err.(*loggedError) //nolint:errorlint // an error that contains one is not one
	return err == nil || only
}

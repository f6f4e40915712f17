package dav

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"syscall"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/tree"
)

// ErrShutdown is the cause with which [Handler.Shutdown] stops an operation.
var ErrShutdown = errors.New("the server is shutting down")

// statusError is an error that is fit for a client's eyes, with its status.
type statusError struct {
	status int
	reason string
	// condition is a precondition or postcondition code (RFC 4918 §16): the
	// name of an element of the namespace DAV:. With it the response is XML.
	condition string
	// hrefs are the condition's, already escaped.
	hrefs []string
}

func (e *statusError) Error() string { return e.reason }

// refuse returns a status and its reason.
func refuse(status int, reason string) (int, error) {
	return status, &statusError{status: status, reason: reason}
}

// statuses says which status stands for which error. The first match counts.
var statuses = []struct {
	err    error
	status int
}{
	{tree.ErrOverlap, http.StatusForbidden},
	{tree.ErrLoop, http.StatusLoopDetected},
	{tree.ErrChanged, http.StatusConflict},
	{tree.ErrLimit, http.StatusInsufficientStorage},
	{storage.ErrTooDeep, http.StatusForbidden},
	{ErrShutdown, http.StatusServiceUnavailable},
	{context.Canceled, http.StatusServiceUnavailable},
	{context.DeadlineExceeded, http.StatusServiceUnavailable},
	{webdav.ErrLocked, http.StatusLocked},
	{webdav.ErrConfirmationFailed, http.StatusPreconditionFailed},
	{lock.ErrLimit, http.StatusServiceUnavailable},
	{storage.ErrState, http.StatusServiceUnavailable},
	{syscall.EROFS, http.StatusForbidden},
	{syscall.ENAMETOOLONG, http.StatusForbidden},
	{syscall.EISDIR, http.StatusMethodNotAllowed},
	// In the way of the request is the state of the resource, which somebody can
	// change: what is mounted there, or has it open (RFC 9110 §15.5.10).
	{syscall.EBUSY, http.StatusConflict},
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
	if err == nil {
		return 0 // before anything is allocated: most often there is none
	}
	var own *statusError
	var partial *tree.PartialError
	var members *lockedMembersError
	switch {
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &partial), errors.As(err, &members):
		return http.StatusMultiStatus
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

// respond writes a final response that has no content of its own. Of err it
// shows what was made for a client's eyes, never a name of the storage.
func respond(w http.ResponseWriter, status int, err error) {
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.WriteHeader(status)
		return
	}
	w.Header().Del("Content-Location") // which would be that of the error (RFC 9110 §8.7)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	contentType, body := "text/plain; charset=utf-8", plainError(status, err)
	var own *statusError
	if errors.As(err, &own) && own.condition != "" {
		contentType, body = xmlContentType, xmlError(own)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // the client has gone, or not
}

// plainError is err for a person.
func plainError(status int, err error) string {
	text := strconv.Itoa(status) + " " + http.StatusText(status)
	if reason := reasonOf(err); reason != "" {
		text += ": " + reason
	}
	return text + "\n"
}

// reasonOf is what of err was made for a client's eyes.
func reasonOf(err error) string {
	var own *statusError
	switch {
	case errors.As(err, &own):
		return own.reason
	case errors.Is(err, tree.ErrOverlap):
		return tree.ErrOverlap.Error()
	case errors.Is(err, tree.ErrChanged):
		return tree.ErrChanged.Error() + ": try again"
	case errors.Is(err, ErrShutdown):
		return ErrShutdown.Error()
	case storage.TooLarge(err):
		return "no file may be that large where it would be: a limit of the server's filesystem, or of its process"
	case storage.OutOfFiles(err):
		return "the server has as many files open as it may: try again in a moment"
	case errors.Is(err, storage.ErrTooDeep):
		return storage.ErrTooDeep.Error()
	case errors.Is(err, syscall.EBUSY):
		return "the server's system is using it: something is mounted there, or has it open"
	case errors.Is(err, lock.ErrLimit):
		return lock.ErrLimit.Error() + ": unlock some, or wait until they expire"
	}
	return storageReason(err)
}

// xmlError is the body of a response with a condition (RFC 4918 §14.5). That there is
// no room is no condition which a person understands: it has the reason, too, which
// whoever does not know it ignores (§17).
func xmlError(e *statusError) string {
	body := appendError([]byte(xml.Header), e, ` xmlns:D="DAV:"`)
	if e.status == http.StatusInsufficientStorage && e.reason != "" {
		const end = "</D:error>"
		body = append(body[:len(body)-len(end)], "<D:responsedescription>"...)
		body = append(appendText(body, e.reason), "</D:responsedescription>"+end...)
	}
	return string(append(body, '\n'))
}

// appendError appends the error element of e.
func appendError(dst []byte, e *statusError, namespace string) []byte {
	dst = append(dst, "<D:error"+namespace+"><D:"+e.condition...)
	if len(e.hrefs) == 0 {
		return append(dst, "/></D:error>"...)
	}
	dst = append(dst, '>')
	for _, href := range e.hrefs {
		dst = append(dst, "<D:href>"...)
		dst = appendText(dst, href)
		dst = append(dst, "</D:href>"...)
	}
	return append(dst, "</D:"+e.condition+"></D:error>"...)
}

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

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/tree"
)

// ErrShutdown is the cause with which [Handler.Shutdown] stops an operation.
var ErrShutdown = errors.New("the server is shutting down")

// statusError is an error whose status and text a client may see.
type statusError struct {
	status int
	reason string
	// condition is a precondition or postcondition code (RFC 4918 §16), the name of an
	// element in the namespace DAV:. If it is set, the response is XML.
	condition string
	// hrefs are the hrefs in the condition, escaped.
	hrefs []string
}

func (e *statusError) Error() string { return e.reason }

// refuse returns the error for a request that gets status and reason as its answer.
func refuse(status int, reason string) error {
	return &statusError{status: status, reason: reason}
}

// statuses maps errors to statuses. The first match counts.
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

// statusOf returns the status for err, or 0 for nil.
func statusOf(err error) int {
	if err == nil {
		return 0 // before anything is allocated: most calls have no error
	}
	var own *statusError
	var field *field.Error
	var partial *tree.PartialError
	var members *lockedMembersError
	switch {
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &field):
		return field.Status
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

// respond writes a final response without content of its own. From err it shows only text
// for clients, never a name in the storage.
func respond(w http.ResponseWriter, status int, err error) {
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.WriteHeader(status)
		return
	}
	w.Header().Del("Content-Location") // it would apply to the error's text (RFC 9110 §8.7)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	contentType, body := "text/plain; charset=utf-8", plainError(status, err)
	if err != nil {
		var own *statusError
		if errors.As(err, &own) && own.condition != "" {
			contentType, body = xmlContentType, xmlError(own)
		}
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // if that fails, the client has disconnected
}

// plainError returns the plain-text body for status and err.
func plainError(status int, err error) string {
	text := strconv.Itoa(status) + " " + http.StatusText(status)
	if reason := reasonOf(err); reason != "" {
		text += ": " + reason
	}
	return text + "\n"
}

// reasonOf returns the text in err that a client may see, or "".
func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	var own *statusError
	var field *field.Error
	switch {
	case errors.As(err, &own):
		return own.reason
	case errors.As(err, &field):
		return field.Reason
	case errors.Is(err, tree.ErrOverlap):
		return tree.ErrOverlap.Error()
	case errors.Is(err, tree.ErrChanged):
		return tree.ErrChanged.Error() + ": try again"
	case errors.Is(err, ErrShutdown):
		return ErrShutdown.Error()
	case storage.TooLarge(err):
		return "the file is too large for the server's filesystem, or for the limit of the server's process"
	case storage.OutOfFiles(err):
		return "the server has too many open files: try again in a moment"
	case errors.Is(err, storage.ErrTooDeep):
		return storage.ErrTooDeep.Error()
	case errors.Is(err, syscall.EBUSY):
		return "the server's operating system is using the resource: something is mounted there or has it open"
	case errors.Is(err, lock.ErrLimit):
		return lock.ErrLimit.Error() + ": unlock some, or wait until they expire"
	}
	return storageReason(err)
}

// xmlError returns the body of a response with a condition (RFC 4918 §14.5). For a 507 it
// adds the reason for a person, because the condition alone is hard to understand. A
// client that does not expect the extra element ignores it (§17).
func xmlError(e *statusError) string {
	body := appendError([]byte(xml.Header), e, ` xmlns:D="DAV:"`)
	if e.status == http.StatusInsufficientStorage && e.reason != "" {
		const end = "</D:error>"
		body = append(body[:len(body)-len(end)], "<D:responsedescription>"...)
		body = append(appendText(body, e.reason), "</D:responsedescription>"+end...)
	}
	return string(append(body, '\n'))
}

// appendError appends an error element for e.
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

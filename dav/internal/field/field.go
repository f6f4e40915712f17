// Package field parses HTTP and WebDAV header fields: RFC 9110, RFC 4918 §10, RFC 7240 and
// some that only clients define. It says what a field means, not whether the server grants it.
package field

import "net/http"

// Error says what is wrong with a header field.
type Error struct {
	// Status is the status of the answer.
	Status int
	Reason string
}

func (e *Error) Error() string { return e.Reason }

// Bad returns the error for a field that the server can't understand.
func Bad(reason string) *Error {
	return &Error{Status: http.StatusBadRequest, Reason: reason}
}

package dav

import "net/http"

// fieldError says what is wrong with a header field.
type fieldError struct {
	// status is the status of the answer.
	status int
	reason string
}

func (e *fieldError) Error() string { return e.reason }

// badField returns the error for a field that the server can't understand.
func badField(reason string) *fieldError {
	return &fieldError{status: http.StatusBadRequest, reason: reason}
}

package dav

import "net/http"

// loggedError is an error that only the log gets: the client has its answer already, or
// the error does not change it.
type loggedError struct{ error }

func (e *loggedError) Unwrap() error { return e.error }

// logged marks err as one for the log only. It returns nil for nil.
func logged(err error) error {
	if err == nil || answered(err) {
		return err
	}
	return &loggedError{err}
}

// answered reports whether a handler that returned err has answered the request.
func answered(err error) bool {
	_, only := err.(*loggedError) //nolint:errorlint // an error that contains one is not one
	return err == nil || only
}

// succeed answers with a status without content of its own.
func succeed(w http.ResponseWriter, status int) error {
	respond(w, status, nil)
	return nil
}

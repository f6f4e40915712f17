package status

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

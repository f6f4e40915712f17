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

// singleHeaders are the request headers that are not lists. A sender must not repeat
// them (RFC 9110 §5.3). If the server picked one of several values, a proxy in front of
// it might pick another one.
var singleHeaders = map[string]bool{
	"Content-Range":            true,
	"Depth":                    true,
	"Destination":              true,
	"If":                       true,
	"Lock-Token":               true,
	"Overwrite":                true,
	"X-Expected-Entity-Length": true,
	"X-Oc-Mtime":               true,
}

// CheckSingle refuses a request that repeats one of singleHeaders.
func CheckSingle(header http.Header) error {
	for name, values := range header {
		if len(values) > 1 && singleHeaders[name] {
			return Bad("the header " + name + " must not be repeated")
		}
	}
	return nil
}

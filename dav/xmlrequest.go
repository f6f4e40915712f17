package dav

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/status"
)

// defaultMaxXML is Handler.MaxXML when that is 0, in bytes.
const defaultMaxXML = 1 << 20

// xmlBody returns the body of r. It refuses a body that is too long or has an unsupported
// encoding before it reads any of it.
func (h *Handler) xmlBody(w http.ResponseWriter, r *request) (io.Reader, error) {
	limit := h.MaxXML
	if limit <= 0 {
		limit = defaultMaxXML
	}
	if r.ContentLength > limit {
		return nil, badXML(&http.MaxBytesError{Limit: limit})
	}
	if err := davxml.CheckType(r.Header); err != nil {
		return nil, err
	}
	body, err := h.heldXML(r, http.MaxBytesReader(w, r.Body, limit), limit)
	if err != nil {
		return nil, badXML(err)
	}
	return davxml.WithMark(body, r.Header.Get("Content-Type")), nil
}

// readXML reads the body of r with parse.
func readXML[T any](h *Handler, w http.ResponseWriter, r *request, parse func(io.Reader) (T, error)) (T, error) {
	var parsed T
	body, err := h.xmlBody(w, r)
	if err == nil {
		parsed, err = parse(body)
	}
	if err != nil {
		var none T
		return none, badXML(err)
	}
	return parsed, nil
}

// badXML returns the error for the client if reading an XML body failed with err.
func badXML(err error) error {
	var tooLarge *http.MaxBytesError
	var own *status.Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, os.ErrDeadlineExceeded):
		return cutOff(err)
	case errors.As(err, &tooLarge):
		return &status.Error{
			Status: http.StatusRequestEntityTooLarge,
			Reason: fmt.Sprintf("the request body is longer than %d bytes", tooLarge.Limit),
		}
	}
	return &status.Error{Status: http.StatusBadRequest, Reason: "the request body: " + err.Error()}
}

package dav

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/dav/internal/listing"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/requestbody"
)

// defaultMaxXML is Handler.MaxXML when that is 0, in bytes.
const defaultMaxXML = 1 << 20

// xmlBody returns the body of r. It refuses a body that is too long or has an unsupported
// encoding before it reads any of it.
func (r *request) xmlBody(w http.ResponseWriter) (io.Reader, error) {
	limit := r.h.MaxXML
	if limit <= 0 {
		limit = defaultMaxXML
	}
	if r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	if err := davxml.CheckType(r.Header); err != nil {
		return nil, err
	}
	body, err := r.heldXML(http.MaxBytesReader(w, r.Body, limit), limit)
	if err != nil {
		return nil, err
	}
	return davxml.WithMark(body, r.Header.Get("Content-Type")), nil
}

// readXML reads the body of r with parse.
func readXML[T any](w http.ResponseWriter, r *request, parse func(io.Reader) (T, error)) (T, error) {
	var parsed T
	body, err := r.xmlBody(w)
	if err == nil {
		parsed, err = parse(body)
	}
	return parsed, badXML(err)
}

// badXML returns the error for the client if reading an XML body failed with err.
func badXML(err error) error {
	own, isOwn := errors.AsType[*status.Error](err)
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case err == nil:
		return nil
	case isOwn:
		return own
	case tooLarge, errors.Is(err, os.ErrDeadlineExceeded):
		return cutOff(err)
	}
	return status.New(http.StatusBadRequest, "the request body: "+err.Error())
}

const (
	// maxHeldXML limits the memory for the XML bodies of all requests, in bytes. While
	// a body is parsed, it takes about five times its length.
	maxHeldXML = 32 << 20
	// leastHeldXML is the memory for the first part of a body, in bytes.
	leastHeldXML = 4 << 10
)

// heldXML returns a reader for body, the body of r of at most longest bytes. It first reads a
// long body into memory, so that the returned reader does not wait for the client. The
// memory counts against the limits until the request ends. heldXML returns a short body
// unchanged, because it costs less memory than its connection.
func (r *request) heldXML(body io.Reader, longest int64) (io.Reader, error) {
	length := r.ContentLength
	whole := requestbody.From(r.Request)
	if 0 <= length && length <= listing.MaxKnownBody || whole == nil {
		return body, nil
	}
	if length < 0 {
		length = longest
	}
	allowed := limit.Bound{
		Most: int(max(maxHeldXML, limit.OneClient*longest)),
		What: "bytes of XML request bodies", Instead: "send a shorter one",
	}
	client, memory := r.client(), &r.h.kept().listings.xml
	var held []byte
	for {
		if len(held) == cap(held) {
			size := min(max(int64(2*cap(held)), leastHeldXML), length+1) // one more byte, to detect the end
			more := int(size) - cap(held)
			if err := memory.Enter(&allowed, client, more); err != nil {
				return nil, err
			}
			whole.Release(func() { memory.Leave(client, more) })
			held = append(make([]byte, 0, size), held...)
		}
		n, err := body.Read(held[len(held):cap(held)])
		held = held[:len(held)+n]
		switch {
		case errors.Is(err, io.EOF):
			return bytes.NewReader(held), nil
		case err != nil:
			return nil, err
		}
	}
}

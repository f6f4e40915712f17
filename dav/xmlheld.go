package dav

import (
	"bytes"
	"errors"
	"io"

	"github.com/davd/davd/dav/internal/limit"
	"github.com/davd/davd/dav/internal/listing"
	"github.com/davd/davd/dav/requestbody"
)

const (
	// maxHeldXML limits the memory for the XML bodies of all requests, in bytes. While
	// a body is parsed, it takes about five times its length.
	maxHeldXML = 32 << 20
	// heldShare means that one client may use a quarter of the memory.
	heldShare = 4
	// leastHeldXML is the memory for the first part of a body, in bytes.
	leastHeldXML = 4 << 10
)

// heldXML returns a reader for body, the body of r of at most longest bytes. It first reads a
// long body into memory, so that the returned reader does not wait for the client. The
// memory counts against the limits until the request ends. heldXML returns a short body
// unchanged, because it costs less memory than its connection.
func (h *Handler) heldXML(r *request, body io.Reader, longest int64) (io.Reader, error) {
	length := r.ContentLength
	whole := requestbody.From(r.Request)
	if 0 <= length && length <= listing.MaxKnownBody || whole == nil {
		return body, nil
	}
	if length < 0 {
		length = longest
	}
	most := max(maxHeldXML, heldShare*longest)
	allowed := limit.Bound{
		Most: int(most), MostOf: int(most / heldShare),
		What: "bytes of XML request bodies", Instead: "send a shorter one",
	}
	client, memory := h.client(r), &h.listings.xml
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

package dav

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/davd/davd/dav/requestbody"
)

// Bounds of how much of the XML bodies of all requests is in memory, in bytes. A body
// takes about five times its length while it is read as XML.
const (
	maxHeldXML = 32 << 20
	// heldShare is the part that one client may have: a quarter.
	heldShare = 4
	// leastHeldXML is how much memory is taken at first for a body.
	leastHeldXML = 4 << 10
)

// heldXML returns a reader of body, the body of r of at most limit bytes, that does not
// wait for the client. A long body counts against the bounds as it arrives, until the
// end of the request. A short one costs less than the connection on which it arrives,
// and is read as it comes.
func (h *Handler) heldXML(r *http.Request, body io.Reader, limit int64) (io.Reader, error) {
	length := r.ContentLength
	whole := requestbody.From(r)
	if 0 <= length && length <= maxKnownBody || whole == nil {
		return body, nil
	}
	if length < 0 {
		length = limit
	}
	most := max(maxHeldXML, heldShare*limit)
	allowed := bound{
		most: int(most), mostOf: int(most / heldShare),
		what: "bytes of XML request bodies", instead: "send a shorter one",
	}
	client, memory := h.client(r), &h.listings.xml
	var held []byte
	for {
		if len(held) == cap(held) {
			size := min(max(int64(2*cap(held)), leastHeldXML), length+1) // one more, for the end
			more := int(size) - cap(held)
			if err := memory.enter(&allowed, client, more); err != nil {
				return nil, err
			}
			whole.Release(func() { memory.leave(client, more) })
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

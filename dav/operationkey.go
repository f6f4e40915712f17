package dav

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/davd/davd/storage/tree"
)

// operationKey is what makes two requests for a COPY, MOVE or DELETE identical:
// whatever decides what they do, as this server understands it. The zero value is
// that of no request.
type operationKey struct {
	// stranger is a pointer of its own for each request whose client may be anybody,
	// so that no other request is identical to it; otherwise nil.
	stranger *byte
	// handler is the one that serves it: its claims may be those of others, too.
	handler *Handler
	// tenant is a statePrefix.
	tenant, principal, method string
	// source and destination are canonical names: two names of one resource make the
	// same request. The source is not how the storage spells it, because a source that
	// is gone, as that of a MOVE whose answer was lost, has no spelling. Neither is a
	// key, which may be that of two resources.
	source, destination string
	depth, overwrite    string
	// when are the conditions, byte for byte, and what they mean.
	when string
}

// keyHeaders decide whether a request is carried out.
var keyHeaders = [...]string{"If", "If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since"}

// operationKey returns the key of r.
func (h *Handler) operationKey(r *http.Request) operationKey {
	key := operationKey{
		handler: h, tenant: statePrefix(r.Context()), principal: h.principal(r),
		method: r.Method, source: h.keySource(r),
		depth: keyDepth(r), when: h.keyConditions(r),
	}
	if key.principal == "" && !h.OnePerson {
		key.stranger = new(byte)
	}
	if r.Method != http.MethodDelete {
		key.destination, key.overwrite = h.keyDestination(r), keyOverwrite(r)
	}
	return key
}

// keyRaw stands before what can't be understood and is in the key as it was sent: no
// value that can be begins with it.
const keyRaw = "!"

func (h *Handler) keySource(r *http.Request) string {
	name, err := h.name(r.URL.Path)
	if err != nil {
		return keyRaw + r.URL.Path
	}
	at, err := h.place(r.Context(), name, r.Method == methodCopy)
	if err != nil {
		return keyRaw + r.URL.Path
	}
	return at.name()
}

func (h *Handler) keyDestination(r *http.Request) string {
	name, err := h.destination(r)
	if err != nil {
		return keyRaw + r.Header.Get("Destination")
	}
	at, err := h.place(r.Context(), name, false)
	if err != nil {
		return keyRaw + r.Header.Get("Destination")
	}
	return at.name()
}

const methodCopy = "COPY"

func keyDepth(r *http.Request) string {
	d, err := depth(r, tree.Infinite, "0", "1", "infinity")
	if err != nil {
		return keyRaw + r.Header.Get("Depth")
	}
	return strconv.Itoa(d)
}

func keyOverwrite(r *http.Request) string {
	does, err := overwrite(r)
	if err != nil {
		return keyRaw + r.Header.Get("Overwrite")
	}
	return strconv.FormatBool(does)
}

// keyConditions returns the conditions of r.
func (h *Handler) keyConditions(r *http.Request) string {
	var when strings.Builder
	for i, header := range keyHeaders {
		if values := r.Header[header]; values != nil {
			// No field value has a line feed in it.
			when.WriteString(string(rune('0'+i)) + strings.Join(values, "\n") + "\n\n")
		}
	}
	if r.Header["If"] != nil {
		// They decide which of its URIs are of this server.
		_, asked := h.origin(r)
		when.WriteString(r.Host + "\n" + asked + "\n" + strings.Join(r.Header["X-Forwarded-Host"], "\n"))
	}
	return when.String()
}

package dav

import (
	"net/http"
	"strconv"
	"strings"
)

// operationKey holds everything that decides what a COPY, MOVE or DELETE does, as
// this server understands it. Two requests are identical if their keys are equal. No
// request has the zero value.
type operationKey struct {
	// stranger is nil if the client is known. Otherwise it is a new pointer for each
	// request, so that no other request is identical.
	stranger *byte
	// handler serves the request. Handlers may share their claims, so the key names
	// the handler.
	handler *Handler
	// tenant is a statePrefix.
	tenant, principal, method string
	// source and destination are canonical names, so that two names of one resource
	// make the same request. They don't have the storage's spelling, because a missing
	// resource has none: the source of a MOVE whose answer was lost, for example. Keys
	// would not do, because two resources may have the same key.
	source, destination string
	depth, overwrite    string
	// when holds the conditional headers byte for byte, and for the header If the
	// host names that its URIs are compared with.
	when string
}

// keyHeaders decide whether a request is carried out.
var keyHeaders = [...]string{"If", "If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since"}

// operationKey returns the key of r.
func (h *Handler) operationKey(r *request) operationKey {
	key := operationKey{
		handler: h, tenant: statePrefix(r.Context()), principal: r.principal(),
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

// keyRaw is the prefix of an invalid value, which is in the key as the client sent
// it. No valid value begins with it.
const keyRaw = "!"

func (h *Handler) keySource(r *request) string {
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

func (h *Handler) keyDestination(r *request) string {
	name, err := h.destination(r.Request)
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

func keyDepth(r *request) string {
	d, err := r.depth("0", "1", "infinity")
	if err != nil {
		return keyRaw + r.Header.Get("Depth")
	}
	return strconv.Itoa(d)
}

func keyOverwrite(r *request) string {
	does, err := r.overwrite()
	if err != nil {
		return keyRaw + r.Header.Get("Overwrite")
	}
	return strconv.FormatBool(does)
}

// keyConditions returns the conditions of r, for operationKey.when.
func (h *Handler) keyConditions(r *request) string {
	var when strings.Builder
	for i, header := range keyHeaders {
		if values := r.Header[header]; values != nil {
			// No field value contains a line feed.
			when.WriteString(string(rune('0'+i)) + strings.Join(values, "\n") + "\n\n")
		}
	}
	if r.Header["If"] != nil {
		// These decide which URIs in the header If are on this server.
		_, asked := h.origin(r.Request)
		when.WriteString(r.Host + "\n" + asked + "\n" + strings.Join(r.Header["X-Forwarded-Host"], "\n"))
	}
	return when.String()
}

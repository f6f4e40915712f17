package dav

import (
	"net/http"
	"strings"
)

// operationKey is what makes two requests for a COPY, MOVE or DELETE identical:
// whatever decides what they do and how they are answered, as it was sent. The
// zero value is that of no request.
type operationKey struct {
	principal, method, host, path       string
	destination, depth, overwrite, when string
}

// keyHeaders decide whether a request is carried out, and what Destination and If
// mean.
var keyHeaders = [...]string{"If", "If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since", "X-Forwarded-Host"}

// operationKey returns the key of r.
func (h *Handler) operationKey(r *http.Request) operationKey {
	// Each of the two hosts is a name of this server; a space is in neither.
	_, asked := h.origin(r)
	key := operationKey{
		principal: h.principal(r), method: r.Method, host: r.Host + " " + asked, path: r.URL.Path,
		destination: r.Header.Get("Destination"), depth: r.Header.Get("Depth"), overwrite: r.Header.Get("Overwrite"),
	}
	for i, header := range keyHeaders {
		if values := r.Header[header]; values != nil {
			// No field value has a line feed in it.
			key.when += string(rune('0'+i)) + strings.Join(values, "\n") + "\n\n"
		}
	}
	return key
}

package davxml

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/davd/davd/dav/internal/status"
)

// Respond writes a final response without content of its own. From err it shows only text
// for clients, never a name in the storage.
func Respond(w http.ResponseWriter, code int, err error) {
	if code == http.StatusNoContent || code == http.StatusNotModified {
		w.WriteHeader(code)
		return
	}
	w.Header().Del("Content-Location") // it would apply to the error's text (RFC 9110 §8.7)
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	text := strconv.Itoa(code) + " " + http.StatusText(code)
	if reason := status.Reason(err); reason != "" {
		text += ": " + reason
	}
	contentType, body := "text/plain; charset=utf-8", text+"\n"
	if own, ok := errors.AsType[*status.Error](err); ok && own.Condition != "" {
		contentType, body = ContentType, ErrorBody(own)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body) // if that fails, the client has disconnected
}

package proxy

import (
	"io"
	"net/http"
	"strconv"

	"github.com/davd/davd/dav/internal/status"
)

// respond answers with err, without what is only for the log.
func respond(w http.ResponseWriter, err error) {
	code := status.Of(err)
	text := strconv.Itoa(code) + " " + http.StatusText(code)
	if reason := status.Reason(err); reason != "" {
		text += ": " + reason
	}
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)+1))
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n") // if that fails, the client has disconnected
}

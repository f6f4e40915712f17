// Package overload answers requests that the server has no room for at the moment.
package overload

import "net/http"

// Refuse answers with a 503 (Service Unavailable) that asks the client to try again. If why is
// empty, the answer has no body.
func Refuse(w http.ResponseWriter, why string) {
	w.Header().Set("Retry-After", "10")
	if why == "" {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	http.Error(w, "503 Service Unavailable: "+why+": try again in a moment", http.StatusServiceUnavailable)
}

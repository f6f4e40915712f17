package dav

import "net/http"

// requestWith creates a request with header fields, given as pairs of name and value.
func requestWith(method string, fields ...string) *http.Request {
	r := &http.Request{Method: method, Host: "davd.test", Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// parsedRequest returns r for a method of h.
func parsedRequest(h *Handler, r *http.Request) *request { return &request{Request: r, handler: h} }

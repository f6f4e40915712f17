package dav

import (
	"net/http"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/listing"
	"github.com/davd/davd/storage"
)

// requestWith creates a request with header fields, given as pairs of name and value.
func requestWith(method string, fields ...string) *http.Request {
	r := &http.Request{Method: method, Host: "davd.test", Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

// parsedRequest returns r for a method of h.
func parsedRequest(h *Handler, r *http.Request) *request {
	if h.Principal != nil {
		r = r.WithContext(storage.WithPrincipal(r.Context(), h.Principal(r)))
	}
	return &request{Request: r, h: h}
}

func readPropfind(h *Handler, r *http.Request) (*listing.Query, error) {
	return readXML(nil, parsedRequest(h, r), h.kept().propfinds.Parse)
}

func readProppatch(h *Handler, r *http.Request) ([]webdav.Proppatch, error) {
	return readXML(nil, parsedRequest(h, r), davxml.ParseProppatch)
}

func readLockinfo(h *Handler, r *http.Request) (*davxml.Lockinfo, error) {
	return readXML(nil, parsedRequest(h, r), davxml.ParseLockinfo)
}

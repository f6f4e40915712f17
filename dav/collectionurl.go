package dav

import (
	"net/http"
	"strings"

	"github.com/davd/davd/dav/internal/status"
)

// errNamesCollection refuses to create a file at the URL of a collection.
var errNamesCollection = &status.Error{
	Status: http.StatusConflict,
	Reason: "a URL that ends in a slash names a collection; use MKCOL to create it, or drop the slash to create a file",
}

// namesCollection reports whether r's URL can only be that of a collection (RFC 4918
// §5.2).
func namesCollection(r *request) bool {
	last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	return last == "" || last == "." || last == ".."
}

// setContentLocation tells the client the URL of the collection name if it left out the
// slash at the end (RFC 4918 §5.2). The hrefs of the answer begin with this URL.
func (h *Handler) setContentLocation(header http.Header, r *request, name string) {
	if !strings.HasSuffix(r.URL.Path, "/") {
		header.Set("Content-Location", h.href(name, true))
	}
}

// noFile returns the error for a PUT or PATCH to the URL of a collection.
func (p *put) noFile() error {
	info, err := p.h.names().Occupant(p.r.Context(), p.at.Name())
	switch {
	case err != nil:
		return err
	case info == nil && p.r.Method == methodPatch:
		return errNothingToPatch
	case info != nil && info.IsDir():
		return errIsCollection
	}
	return errNamesCollection
}

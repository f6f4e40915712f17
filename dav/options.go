package dav

import (
	"net/http"
	"slices"
	"strings"
)

// methodTrait is what can be said of a method before it is served.
type methodTrait struct {
	// writes: it may change something.
	writes bool
	// creates: it may make the request URI a resource, so that it applies
	// where there is none.
	creates bool
	// collection, file: it applies to such a resource.
	collection, file bool
}

var methodTraits = map[string]methodTrait{
	"OPTIONS":   {collection: true, file: true},
	"GET":       {file: true},
	"HEAD":      {file: true},
	"POST":      {file: true},
	"PUT":       {writes: true, creates: true, file: true},
	"MKCOL":     {writes: true, creates: true},
	"DELETE":    {writes: true, collection: true, file: true},
	"COPY":      {writes: true, collection: true, file: true},
	"MOVE":      {writes: true, collection: true, file: true},
	"LOCK":      {writes: true, creates: true, collection: true, file: true},
	"UNLOCK":    {writes: true, collection: true, file: true},
	"PROPFIND":  {collection: true, file: true},
	"PROPPATCH": {writes: true, collection: true, file: true},
}

// serveOptions says what the resource can do (RFC 4918 §10.1, RFC 9110
// §9.3.7).
func (h *Handler) serveOptions(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	info, err := h.FileSystem.Stat(r.Context(), name)
	applies := func(t methodTrait) bool {
		switch {
		case h.ReadOnly && t.writes:
			return false
		case err != nil:
			return t.creates
		case info.IsDir():
			return t.collection
		}
		return t.file
	}
	allow := []string{"OPTIONS"}
	for method, trait := range methodTraits {
		if method != "OPTIONS" && applies(trait) {
			allow = append(allow, method)
		}
	}
	slices.Sort(allow[1:])
	header := w.Header()
	header.Set("Allow", strings.Join(allow, ", "))
	// Class 2 is locking.
	header.Set("DAV", "1, 2")
	if h.ReadOnly {
		header.Set("DAV", "1")
	}
	// Without it, Office and Explorer open files read-only ([MS-WDV] 2.2.8).
	header.Set("MS-Author-Via", "DAV")
	header.Set("Content-Length", "0")
	return 0, nil
}

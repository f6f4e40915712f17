package dav

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/davd/davd/storage"
)

// methodTrait holds the general properties of a method.
type methodTrait struct {
	// writes: the method may change something.
	writes bool
	// creates: the method may create the resource, so it applies to a missing one.
	creates bool
	// collection, file: the method applies to a collection, to a file.
	collection, file bool
}

var methodTraits = map[string]methodTrait{
	"OPTIONS": {collection: true, file: true},
	"GET":     {collection: true, file: true},
	"HEAD":    {collection: true, file: true},
	// Only a collection accepts a POST, if it has pages with forms.
	"POST":      {},
	"PUT":       {writes: true, creates: true, file: true},
	"PATCH":     {writes: true, file: true},
	"MKCOL":     {writes: true, creates: true},
	"DELETE":    {writes: true, collection: true, file: true},
	"COPY":      {writes: true, collection: true, file: true},
	"MOVE":      {writes: true, collection: true, file: true},
	"LOCK":      {writes: true, creates: true, collection: true, file: true},
	"UNLOCK":    {writes: true, collection: true, file: true},
	"PROPFIND":  {collection: true, file: true},
	"PROPPATCH": {writes: true, collection: true, file: true},
}

// options answers OPTIONS with the methods of the resource and the server's
// compliance classes (RFC 4918 §10.1, RFC 9110 §9.3.7).
func (h *Handler) options(w http.ResponseWriter, r *request) error {
	allow := h.allowAt(r.Context(), r.name)
	w.Header().Set("Allow", allow)
	if strings.Contains(allow, ", "+methodPatch) {
		w.Header().Set("Accept-Patch", patchType) // RFC 5789 §3.1
	}
	if strings.Contains(allow, ", "+http.MethodPut) && h.node() == nil {
		w.Header().Add("Accept-Patch", partType)
		h.setUploadLimit(w, h.uploadAge())
	}
	h.setClasses(w.Header())
	return nil
}

// serverOptions answers OPTIONS *, which is about the server as a whole. net/http
// answers it itself unless http.Server.DisableGeneralOptionsHandler is set.
func (h *Handler) serverOptions(w http.ResponseWriter) error {
	w.Header().Set("Allow", h.allow(func(_ string, t methodTrait) bool { return t != methodTrait{} }))
	h.setClasses(w.Header())
	return nil
}

// setClasses sets the header DAV to the compliance classes of the server (RFC 4918
// §18).
func (h *Handler) setClasses(header http.Header) {
	// Class 2 is locking.
	if h.ReadOnly {
		header.Set("DAV", "1, 3")
	} else {
		header.Set("DAV", "1, 2, 3, "+patchClass)
	}
	// Without this header, Office and Explorer open files read-only ([MS-WDV] 2.2.8).
	header.Set("MS-Author-Via", "DAV")
	header.Set("Content-Length", "0")
}

// allowAt returns the value of the header Allow for name, whether it exists or not.
func (h *Handler) allowAt(ctx context.Context, name string) string {
	info, err := h.FileSystem.Stat(ctx, name)
	restricted := h.restricted()
	rights := storage.RightsAt(ctx, h.FileSystem, name)
	return h.allow(func(method string, t methodTrait) bool {
		switch {
		case method == http.MethodPost:
			return err == nil && info.IsDir() && h.hasForms() && !h.ReadOnly && (!restricted || rights.Has(storage.RightCreate))
		case restricted && !isAllowed(method, rights, err == nil && info.IsDir()):
			return false
		case err != nil:
			return t.creates
		case info.IsDir():
			return t.collection
		}
		return t.file
	})
}

// allow lists the methods that apply. On a read-only share it leaves out those that
// write.
func (h *Handler) allow(applies func(string, methodTrait) bool) string {
	methods := []string{http.MethodOptions}
	for method, trait := range methodTraits {
		if method != http.MethodOptions && applies(method, trait) && (!h.ReadOnly || !trait.writes) {
			methods = append(methods, method)
		}
	}
	slices.Sort(methods[1:])
	return strings.Join(methods, ", ")
}

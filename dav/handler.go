package dav

import (
	"net/http"
	"sync"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// Handler serves a tree of files over WebDAV. FileSystem must be set; the
// zero value of every other field is useful. A Handler must not be copied
// once it has served a request.
type Handler struct {
	// Prefix is the URL path prefix to strip from WebDAV resource paths. It
	// ends at a segment: with "/dav", "/davd" is not served.
	Prefix string
	// FileSystem is the virtual file system.
	FileSystem webdav.FileSystem
	// LockSystem is the lock management system. Nil: locks in memory, gone
	// with the Handler.
	LockSystem webdav.LockSystem
	// Logger is an optional error logger. If non-nil, it will be called for
	// all HTTP requests, at their end.
	Logger func(*http.Request, error)

	// ReadOnly refuses every method that would change something: 403.
	ReadOnly bool
	// Interim says when and to whom interim responses are sent.
	Interim Interim

	mu         sync.Mutex
	memLocks   webdav.LockSystem
	operations map[*operation]struct{}
	stopping   bool
}

// serveFunc serves a request for the resource name. It returns a status of 0
// when it has responded itself.
type serveFunc func(h *Handler, w http.ResponseWriter, r *http.Request, name string) (status int, err error)

var serveFuncs = map[string]serveFunc{
	"OPTIONS":   (*Handler).serveOptions,
	"GET":       (*Handler).delegate,
	"HEAD":      (*Handler).delegate,
	"POST":      (*Handler).delegate,
	"PUT":       (*Handler).delegate,
	"MKCOL":     (*Handler).delegate,
	"DELETE":    (*Handler).serveDelete,
	"COPY":      (*Handler).serveCopy,
	"MOVE":      (*Handler).serveMove,
	"LOCK":      (*Handler).delegate,
	"UNLOCK":    (*Handler).delegate,
	"PROPFIND":  (*Handler).servePropfind,
	"PROPPATCH": (*Handler).delegate,
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, err := h.serve(w, r)
	if status != 0 {
		respond(w, status, err)
	}
	if h.Logger != nil {
		h.Logger(r, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (status int, err error) {
	serve, known := serveFuncs[r.Method]
	switch {
	case !known:
		return refuse(http.StatusNotImplemented, "the method "+r.Method+" is not implemented")
	case h.FileSystem == nil:
		return refuse(http.StatusInternalServerError, "dav.Handler has no FileSystem")
	}
	name, err := h.name(r.URL.Path)
	if err != nil {
		return statusOf(err), err
	}
	traits := methodTraits[r.Method]
	switch {
	case h.ReadOnly && traits.writes:
		return refuse(http.StatusForbidden, "this share is read-only")
	case storage.Reserved(name) && traits.creates:
		return refuse(http.StatusForbidden, "the name is reserved for the server")
	case storage.Reserved(name):
		return refuse(http.StatusNotFound, "no such resource")
	}
	return serve(h, w, r, name)
}

// delegate lets x/net serve a method that it gets right enough for now.
func (h *Handler) delegate(w http.ResponseWriter, r *http.Request, name string) (status int, err error) {
	prefix := h.prefix()
	x := webdav.Handler{
		Prefix:     prefix,
		FileSystem: h.FileSystem,
		LockSystem: h.locks(),
		Logger:     func(_ *http.Request, e error) { err = e },
	}
	request, clean := *r, *r.URL
	clean.Path, clean.RawPath = prefix+name, ""
	request.URL = &clean
	x.ServeHTTP(w, &request)
	return 0, err
}

// locks returns LockSystem or, where there is none, one in memory.
func (h *Handler) locks() webdav.LockSystem {
	if h.LockSystem != nil {
		return h.LockSystem
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.memLocks == nil {
		h.memLocks = webdav.NewMemLS()
	}
	return h.memLocks
}

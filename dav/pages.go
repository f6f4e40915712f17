package dav

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/compress"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/index"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// Pages makes the pages that people see who open a collection in a browser. A program can have
// its own; package dav/page has the one of davd serve.
type Pages interface {
	// Collection answers a GET of a collection by a client that prefers HTML. The content type,
	// and headers that forbid caching and other sites, are set. It should set a
	// Content-Security-Policy: without one, the page may load and run nothing.
	Collection(w http.ResponseWriter, r *http.Request, c *Collection) error
	// Asset returns a file that the pages load, and its content type. Its URL is
	// [Collection].Assets and the name. Browsers keep it for a year, so its name should contain
	// a hash of the content. Everyone who may reach the server can read it.
	Asset(name string) (content []byte, contentType string, ok bool)
}

// NoPages is a [Pages] that refuses to list a collection: a GET of one gets a 403 (Forbidden).
type NoPages struct{}

// Collection implements Pages.
func (NoPages) Collection(http.ResponseWriter, *http.Request, *Collection) error {
	return errNoPages
}

// Asset implements Pages.
func (NoPages) Asset(string) (content []byte, contentType string, ok bool) { return nil, "", false }

var errNoPages = status.New(http.StatusForbidden, "this server shows collections to WebDAV clients only")

// Collection is what a page shows without scripts.
type Collection struct {
	// Name is the path of the collection below the server's prefix, such as "/photos/2026".
	Name string
	// Root, Base and Assets are references relative to the request URI, because a proxy in front
	// may have changed the path: to the root of the server, to the collection, and to the assets.
	// All end in a slash.
	Root, Base, Assets string
	// Principal is the user, or "".
	Principal string
	// Creates says that the user may create members.
	Creates bool
	// Members are sorted. If Whole is false there are more.
	Members []Member
	Whole   bool
}

// Member is a member of a Collection.
type Member struct {
	Name string
	// Size is in bytes, or negative if it is unknown. Modified is zero if it is unknown.
	Size       int64
	Modified   time.Time
	Collection bool
	// Type is the media type of a file, or "".
	Type string
}

const (
	// assetsName is the reserved name of the collection of assets, in the root of the server.
	assetsName = ".davd-page"
	// pageLimit is how many members a page shows without scripts. The page refers to the plain
	// index for more.
	pageLimit = 2000
)

// wantsPage reports whether a GET of a collection gets a page: the client prefers HTML to
// anything, as all browsers do and no other client, and does not ask for the plain index.
func (h *Handler) wantsPage(r *request) bool {
	if h.Pages == nil || !prefersHTML(r.Request) {
		return false
	}
	return !strings.Contains(r.URL.RawQuery, "plain") || !r.URL.Query().Has("plain")
}

// prefersHTML reports whether the client is a browser that shows the answer to a person.
func prefersHTML(r *http.Request) bool {
	return field.PreferredType(r.Header["Accept"], browser.UnknownType, "text/html") == "text/html"
}

// collection serves a GET of a collection: as an archive, as a page, or as the plain index.
func (h *Handler) collection(w http.ResponseWriter, r *request, info fs.FileInfo) error {
	if h.Pages == nil {
		return h.index(w, r, r.name, info)
	}
	w.Header().Add("Vary", "Accept")
	_, off := h.Pages.(NoPages)
	switch {
	case off:
		unsetContent(w.Header())
		return errNoPages
	case strings.HasPrefix(r.URL.RawQuery, "zip"):
		return h.serveArchive(w, r, info)
	case h.wantsPage(r):
		return h.page(w, r, info)
	}
	return h.index(w, r, r.name, info)
}

// page serves the page of a collection.
func (h *Handler) page(w http.ResponseWriter, r *request, info fs.FileInfo) error {
	members := h.indexMembers(r, pageLimit)
	defer members.Release()
	if err := members.Read(r.Context(), r.name); err != nil {
		unsetContent(w.Header())
		return err
	}
	shown := h.shown(r.Context(), r.name)
	if v := h.view(r.Context()); v != nil && shown == "/" {
		v.addTo(r.Context(), &members)
	}
	members.Sort(r.URL.Query().Get("sort"))
	c := &Collection{
		Name: shown, Base: indexBase(r), Principal: r.principal(), Whole: members.Whole,
		Creates: !h.ReadOnly && h.allowed(r.Context(), path.Join(r.name, "a"), storage.RightCreate, false) == nil,
	}
	c.Root = rootOf(c.Name, c.Base)
	c.Assets = c.Root + assetsName + "/"
	for i := range members.All {
		c.Members = append(c.Members, publicMember(&members.All[i]))
	}
	setIndexHeaders(w.Header(), info)
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	compressor := h.compressor(w, r.Request)
	defer compressor.Release()
	if compressor != nil {
		w = compressor
	}
	err := h.Pages.Collection(w, r.Request, c)
	if err == nil {
		err = compressor.Finish()
	}
	return status.Logged(err)
}

// rootOf returns the reference to the root from the collection name, of which base is the
// reference.
func rootOf(name, base string) string {
	depth := strings.Count(strings.TrimSuffix(name, "/"), "/")
	if base != "./" {
		depth-- // the request URI has no slash at the end
	}
	if depth < 0 {
		return base // the root, without a slash
	}
	return "./" + strings.Repeat("../", depth)
}

func publicMember(m *index.Member) Member {
	public := Member{Name: m.Name, Size: -1, Collection: m.Collection}
	if m.Described {
		public.Size, public.Modified = m.Size, time.Unix(m.Modified, 0)
	}
	if !m.Collection {
		public.Type = browser.TypeOf(m.Name)
	}
	return public
}

// assetOf returns the name of the asset that a URL path stands for.
func (h *Handler) assetOf(r *http.Request) (name string, ok bool) {
	if h.Pages == nil || !strings.Contains(r.URL.Path, assetsName) {
		return "", false
	}
	full, err := h.name(r.Context(), r.URL.Path)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(full, "/"+assetsName+"/")
}

// serveAsset serves r if it is about a file that a page loads.
func (h *Handler) serveAsset(w http.ResponseWriter, r *http.Request) (served bool, err error) {
	name, ok := h.assetOf(r)
	if !ok {
		return false, nil
	}
	content, contentType, found := h.Pages.Asset(name)
	switch {
	case !found:
		return true, status.New(http.StatusNotFound, "no such resource")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		return true, status.New(http.StatusMethodNotAllowed, "this file is part of the server")
	}
	return true, h.sendAsset(w, r, content, contentType)
}

func (h *Handler) sendAsset(w http.ResponseWriter, r *http.Request, content []byte, contentType string) error {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'") // a worker has that of its script
	header.Set("Cache-Control", "private, max-age=31536000, immutable")
	browser.Isolate(header)
	if h.Compress != CompressNever {
		compress.VaryEncoding(header)
	}
	compressor := h.compressor(w, r)
	defer compressor.Release()
	if compressor != nil {
		w = compressor
	}
	_, err := w.Write(content) // net/http leaves it out of the answer to HEAD
	if err == nil {
		err = compressor.Finish()
	}
	return status.Logged(err)
}

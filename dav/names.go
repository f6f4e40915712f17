package dav

import (
	"context"
	"net/http"
	"path"
	"strings"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/origin"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// prefix returns the prefix that trusted proxies have stripped from the path of a request, followed
// by Prefix, with a leading and without a trailing slash, or "".
func (h *Handler) prefix(ctx context.Context) string {
	var stripped string
	if h.kept().stripped.Load() {
		stripped = origin.Stripped(ctx)
	}
	return stripped + strings.TrimSuffix(storage.Clean(h.Prefix), "/")
}

// unstripped returns r with the path that the client asked for. See [origin.Proxies.Unstripped].
func (h *Handler) unstripped(r *http.Request) *http.Request {
	whole := h.TrustedProxies.Unstripped(r)
	if whole != r {
		h.kept().stripped.Store(true)
	}
	return whole
}

// ResourceName returns the name in FileSystem that the URL path of a request stands for. Logger
// can use it. ok is false for a path outside of Prefix.
func (h *Handler) ResourceName(r *http.Request) (name string, ok bool) {
	asked, err := h.name(r.Context(), r.URL.Path)
	return h.viewed(r.Context(), asked), err == nil
}

// names returns the resolver of names in FileSystem.
func (h *Handler) names() place.Resolver { return place.Resolver{FS: h.FileSystem} }

// name returns the storage name of a URL path.
func (h *Handler) name(ctx context.Context, urlPath string) (string, error) {
	if strings.ContainsRune(urlPath, 0) {
		return "", status.New(http.StatusBadRequest, "the path contains a NUL")
	}
	if urlPath == "*" {
		return "", status.New(http.StatusBadRequest, "only OPTIONS can have the request target *") // RFC 9112 §3.2.4
	}
	// Clients remove dot segments (RFC 3986 §6.2.2.3), so such a path is likely an attack.
	if strings.Contains(urlPath, "..") && storage.Climbs(0, urlPath) {
		return "", status.New(http.StatusForbidden, "the path leads above the root")
	}
	clean, prefix := storage.Clean(urlPath), h.prefix(ctx)
	rest, found := strings.CutPrefix(clean, prefix)
	if !found || (prefix != "" && rest != "" && rest[0] != '/') {
		return "", status.New(http.StatusNotFound, "the path is outside "+prefix+"/")
	}
	if rest == "" {
		rest = "/"
	}
	return rest, nil
}

// destination returns the storage name for the header Destination, which is an
// absolute URI or an absolute path (RFC 4918 §10.3).
func (h *Handler) destination(r *http.Request) (string, error) {
	header := r.Header.Get("Destination")
	if header == "" {
		return "", status.New(http.StatusBadRequest, "the header Destination is missing")
	}
	u, err := field.ParseReference(header)
	if err != nil {
		return "", status.New(http.StatusBadRequest, "the header Destination "+err.Error())
	}
	if u.Host != "" && !h.self().Serves(r, u) {
		return "", h.self().Foreign(r, u)
	}
	if err := h.checkMountPoint(r.Context(), u.Path); err != nil {
		return "", err
	}
	name, err := h.resource(r.Context(), u.Path)
	if status.Of(err) == http.StatusNotFound {
		// RFC 4918 §9.8.5: another URL namespace.
		return "", status.New(http.StatusBadGateway, "the header Destination leads outside this share")
	}
	if err != nil {
		return "", err
	}
	if storage.Reserved(name) {
		return "", status.New(http.StatusForbidden, "the header Destination names a path that is reserved for the server")
	}
	return name, nil
}

// href returns the URL path of name, escaped, with a trailing slash for a
// collection (RFC 4918 §5.2).
func (h *Handler) href(ctx context.Context, name string, collection bool) string {
	return string(field.AppendHref(nil, h.prefix(ctx), name, collection))
}

// hrefOf returns the href of name, with a trailing slash if it is a collection now.
func (h *Handler) hrefOf(ctx context.Context, name string) string {
	info, err := h.FileSystem.Stat(ctx, name)
	return h.href(ctx, h.shown(ctx, name), err == nil && info.IsDir())
}

// lockRoot is hrefOf, but returns "" if the principal may not see name.
func (h *Handler) lockRoot(ctx context.Context, name string) string {
	if h.allowed(ctx, name, 0, false) != nil {
		return ""
	}
	if v := h.view(ctx); v != nil {
		if _, ok := v.shown(name); !ok {
			return ""
		}
	}
	return h.hrefOf(ctx, name)
}

// resource returns the storage name for a URL path, in the storage's spelling.
func (h *Handler) resource(ctx context.Context, urlPath string) (string, error) {
	name, err := h.name(ctx, urlPath)
	if err != nil {
		return "", err
	}
	return h.names().Spelling(ctx, h.viewed(ctx, name)), nil
}

var errNamesCollection = status.New(http.StatusConflict, "a URL that ends in a slash names a collection; use MKCOL to create it, or drop the slash to create a file")

// namesCollection reports whether r's URL can only be that of a collection (RFC 4918
// §5.2).
func namesCollection(r *request) bool {
	last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	return last == "" || last == "." || last == ".."
}

// setContentLocation tells the client the URL of the collection name if it left out the
// slash at the end (RFC 4918 §5.2). The hrefs of the answer begin with this URL.
func (r *request) setContentLocation(header http.Header, name string) {
	if !strings.HasSuffix(r.URL.Path, "/") {
		header.Set("Content-Location", r.h.href(r.Context(), r.h.shown(r.Context(), name), true))
	}
}

// checkParent makes sure that the collection that contains name exists (RFC 4918
// §9.3.1, §9.7.1, §9.8.5).
func (h *Handler) checkParent(ctx context.Context, name string) error {
	parent, err := h.names().Stat(ctx, path.Dir(name))
	if status.Of(err) == http.StatusNotFound || (err == nil && !parent.IsDir()) {
		return errNoParent
	}
	return err
}

var errNoParent = status.New(http.StatusConflict, "the collection that should contain it does not exist")

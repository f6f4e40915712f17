package proxy

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/origin"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
)

// upstreamOrigin returns the scheme and host of Upstream as in a URL.
func (h *Handler) upstreamOrigin() string { return h.Upstream.Scheme + "://" + h.Upstream.Host }

// prefixOf returns the prefix that trusted proxies have stripped from the path of a request, followed
// by Prefix, escaped, with a leading and without a trailing slash, or "".
func (h *Handler) prefixOf(ctx context.Context) string {
	stripped := origin.Stripped(ctx)
	if stripped == "" {
		return h.prefix
	}
	return (&url.URL{Path: stripped}).EscapedPath() + h.prefix
}

// name returns the name of an escaped URL path below the prefix, without escapes.
func (h *Handler) name(ctx context.Context, escaped string) (string, error) {
	rest, ok := below(escaped, h.prefixOf(ctx))
	if !ok {
		return "", status.New(http.StatusNotFound, "the path is outside "+h.prefixOf(ctx)+"/")
	}
	name, err := url.PathUnescape(rest)
	switch {
	case err != nil, strings.ContainsRune(name, 0):
		return "", status.New(http.StatusBadRequest, "the path contains a NUL or a malformed escape")
	case storage.Climbs(0, strings.ReplaceAll(name, "\\", "/")), strings.Contains(name, "..;"):
		// The upstream may resolve the dots, even before parameters, and serve what is outside
		// of its URL.
		return "", status.New(http.StatusForbidden, "the path leads above the root")
	}
	return storage.Clean(name), nil
}

// below returns the rest of an escaped path below a collection, which is escaped and has no
// slash at the end. Both may escape different characters (RFC 3986 §6.2.2), but an escaped
// slash is none.
func below(path, collection string) (rest string, ok bool) {
	for collection != "" {
		if path == "" {
			return "", false
		}
		a, restA := octet(path)
		b, restB := octet(collection)
		if a != b {
			return "", false
		}
		path, collection = restA, restB
	}
	return path, path == "" || path[0] == '/'
}

// escapedSlash is what octet returns for an escaped slash.
const escapedSlash = 256 + '/'

// octet returns the first octet of an escaped path, and the rest.
func octet(path string) (first int, rest string) {
	if len(path) > 2 && path[0] == '%' {
		if b, err := hex.DecodeString(path[1:3]); err == nil {
			first, rest = int(b[0]), path[3:]
			if first == '/' {
				first = escapedSlash
			}
			return first, rest
		}
	}
	return int(path[0]), path[1:]
}

// toUpstream returns the upstream's path for an escaped path of a client. ok is false if
// that is not below the prefix.
func (h *Handler) toUpstream(ctx context.Context, escaped string) (path string, ok bool) {
	rest, ok := below(escaped, h.prefixOf(ctx))
	if !ok {
		return "", false
	}
	if path = h.base + rest; path == "" {
		path = "/"
	}
	return path, true
}

// toClient is the reverse of toUpstream.
func (h *Handler) toClient(ctx context.Context, escaped string) (path string, ok bool) {
	rest, ok := below(escaped, h.base)
	if !ok {
		return "", false
	}
	if path = h.prefixOf(ctx) + rest; path == "" {
		path = "/"
	}
	return path, true
}

// reference returns the upstream's absolute URL for a URL or an absolute path that a client
// sent. ok is false if it is not about this proxy, or not below Prefix.
func (h *Handler) reference(r *http.Request, ref string) (upstream, name string, ok bool, err error) {
	u, err := field.ParseReference(ref)
	if err != nil {
		return "", "", false, err
	}
	if u.Host != "" && !h.self().Serves(r, u) {
		return "", "", false, nil
	}
	path, ok := h.toUpstream(r.Context(), u.EscapedPath())
	if !ok {
		return "", "", false, nil
	}
	if name, err = h.name(r.Context(), u.EscapedPath()); err != nil {
		return "", "", false, err
	}
	return h.upstreamOrigin() + path, name, true, nil
}

// destination returns the header Destination for the upstream, and its name.
func (h *Handler) destination(r *http.Request) (header, name string, err error) {
	value := r.Header.Get("Destination")
	if value == "" {
		return "", "", status.New(http.StatusBadRequest, "the header Destination is missing")
	}
	header, name, ok, err := h.reference(r, value)
	switch {
	case status.Of(err) == http.StatusForbidden:
		return "", "", err
	case err != nil:
		return "", "", status.New(http.StatusBadRequest, "the header Destination "+err.Error())
	case !ok:
		if u, err := field.ParseReference(value); err == nil && u.Host != "" && !h.self().Serves(r, u) {
			return "", "", h.self().Foreign(r, u)
		}
		return "", "", status.New(http.StatusBadGateway, "the header Destination leads outside this share")
	case isOperations(name):
		return "", "", status.New(http.StatusForbidden, "the header Destination names a path that is reserved for the proxy")
	}
	return header, name, nil
}

func isOperations(name string) bool {
	_, ok := operation.DocumentID(name)
	return ok
}

// conditions returns the value of the header If for the upstream. Its tagged lists name
// resources (RFC 4918 §10.4.2). Addresses of other servers stay as they are.
func (h *Handler) conditions(r *http.Request, value string) string {
	var b strings.Builder
	inList := false
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '(':
			inList = true
		case ')':
			inList = false
		case '<', '[', '"':
			end := endOf(value, i)
			if tag := value[i+1 : end]; value[i] == '<' && !inList {
				if upstream, _, ok, err := h.reference(r, tag); ok && err == nil {
					tag = upstream
				}
				b.WriteString("<" + tag)
			} else {
				b.WriteString(value[i:end])
			}
			if i = end; i == len(value) {
				return b.String() // malformed: the upstream refuses it
			}
		}
		b.WriteByte(value[i])
	}
	return b.String()
}

// endOf returns the index of the end of what begins at i in the header If: a URI, an entity
// tag in brackets, or a quoted string. It is len(value) if there is none.
func endOf(value string, i int) int {
	closing := map[byte]byte{'<': '>', '[': ']', '"': '"'}[value[i]]
	quoted := false
	for j := i + 1; j < len(value); j++ {
		switch {
		case value[j] == closing && !quoted:
			return j
		case value[j] == '"' && closing == ']':
			quoted = !quoted
		}
	}
	return len(value)
}

// hrefToClient returns a URL or path of the upstream as the client knows it: a path for a
// path, and a URL for a URL. Addresses of others stay as they are.
func (h *Handler) hrefToClient(r *http.Request, href string) string {
	rest, absolute := cutOrigin(href, h.Upstream)
	if !absolute && !strings.HasPrefix(href, "/") || strings.HasPrefix(href, "//") {
		return href
	}
	end := strings.IndexAny(rest, "?#")
	if end < 0 {
		end = len(rest)
	}
	path, ok := h.toClient(r.Context(), rest[:end])
	if !ok {
		return href
	}
	if absolute {
		path = h.self().URL(r) + path
	}
	return path + rest[end:]
}

// hrefToUpstream is the reverse of hrefToClient.
func (h *Handler) hrefToUpstream(r *http.Request, href string) string {
	upstream, _, ok, err := h.reference(r, href)
	switch {
	case err != nil || !ok:
		return href
	case strings.HasPrefix(href, "/"):
		return strings.TrimPrefix(upstream, h.upstreamOrigin())
	}
	return upstream
}

// cutOrigin removes the scheme and host of upstream from href. The scheme may be another
// one, because servers behind a proxy that ends TLS often write the wrong one.
func cutOrigin(href string, upstream *url.URL) (rest string, ok bool) {
	scheme, rest, ok := strings.Cut(href, "://")
	if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return href, false
	}
	host, path := rest, "/"
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	if path[0] != '/' {
		path = "/" + path
	}
	port := map[string]string{"http": ":80", "https": ":443"}[strings.ToLower(scheme)]
	if !strings.EqualFold(strings.TrimSuffix(host, port), strings.TrimSuffix(upstream.Host, port)) {
		return href, false
	}
	return path, true
}

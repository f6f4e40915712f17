package origin

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// maxPrefix limits the length of a prefix, in bytes.
const maxPrefix = 1024

// strippedKey is the key of the prefix that proxies have stripped.
type strippedKey struct{}

// Stripped returns the prefix that [Proxies.Unstripped] has put in front of the path of a request,
// with a leading and without a trailing slash, or "". ctx is the context of the request.
func Stripped(ctx context.Context) string {
	stripped, _ := ctx.Value(strippedKey{}).(string)
	return stripped
}

// Unstripped returns r with the client's path, if a trusted proxy says that it has
// stripped a prefix from it (X-Forwarded-Prefix). So all paths in the request are the client's, and
// so are those in the answer.
func (t Proxies) Unstripped(r *http.Request) *http.Request {
	if len(t) == 0 || r.Header["X-Forwarded-Prefix"] == nil {
		return r
	}
	stripped := t.prefix(r)
	if stripped == "" || !strings.HasPrefix(r.URL.Path, "/") {
		return r
	}
	u := *r.URL
	u.Path, u.RawPath = stripped+u.Path, (&url.URL{Path: stripped}).EscapedPath()+u.EscapedPath()
	r = r.WithContext(context.WithValue(r.Context(), strippedKey{}, stripped))
	r.URL = &u
	return r
}

// prefix returns the path that the proxy closest to the client has stripped from the path that the
// client asked for, with a leading and without a trailing slash, or "". It ignores a value that is
// no plain path, or a list.
func (t Proxies) prefix(r *http.Request) string {
	values := r.Header["X-Forwarded-Prefix"]
	if len(values) != 1 || !t.Sent(r) {
		return ""
	}
	prefix := strings.TrimRight(values[0], "/")
	if len(prefix) > maxPrefix || !strings.HasPrefix(prefix, "/") || path.Clean(prefix) != prefix || strings.ContainsAny(prefix, ",?#%\\\x00") {
		return ""
	}
	return prefix
}

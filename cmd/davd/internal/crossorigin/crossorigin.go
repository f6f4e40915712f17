// Package crossorigin lets web pages of other origins use the server (CORS).
package crossorigin

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rs/cors"
)

// Origins are the origins whose pages may use the server, in lower case, or "*" for all.
type Origins []string

// Any reports whether pages of all origins may use the server. A browser then never adds a password
// that it remembers, so a page needs one of its own.
func (o Origins) Any() bool { return slices.Contains(o, "*") }

// Allow reports whether pages of origin may use the server. It can be the AllowOrigin of a
// dav.Handler.
func (o Origins) Allow(origin string) bool {
	return o.Any() || slices.Contains(o, strings.ToLower(origin))
}

// methods are those of WebDAV.
var methods = []string{
	"OPTIONS", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE",
	"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
}

// exposed are the fields of answers that a page may read, besides those that any page may.
var exposed = []string{
	"Accept-Patch", "Accept-Ranges", "Allow", "Content-Length", "Content-Location", "Content-Range",
	"DAV", "ETag", "Location", "Lock-Token", "Preference-Applied", "Progress", "Retry-After", "Status-URI",
	"Upload-Complete", "Upload-Length", "Upload-Limit", "Upload-Offset", "WWW-Authenticate", "X-OC-MTime",
}

// cacheSeconds is how long a browser may remember the answer to a preflight.
const cacheSeconds = 600

// Handler returns a handler that answers preflights, which have no password, and lets pages of these
// origins read the answers of next. Without origins, it returns next.
func (o Origins) Handler(next http.Handler) http.Handler {
	if len(o) == 0 {
		return next
	}
	options := cors.Options{
		AllowedMethods: methods, AllowedHeaders: []string{"*"}, ExposedHeaders: exposed,
		AllowPrivateNetwork: true, MaxAge: cacheSeconds,
	}
	if o.Any() {
		options.AllowedOrigins = []string{"*"}
	} else {
		options.AllowOriginFunc, options.AllowCredentials = o.Allow, true
	}
	return cors.New(options).Handler(next)
}

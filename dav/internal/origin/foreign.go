package origin

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/davd/davd/dav/internal/status"
)

// ForeignError is the error for a Destination on another server (RFC 4918 §9.8.5). Its text is
// for the log, because the usual cause is a proxy that hides the name that the client uses. The
// client gets the text of the error that it wraps.
type ForeignError struct {
	// Asked is the host in Destination, and Known the host by which the server knows itself.
	Asked, Known string
}

var errForeign = status.New(http.StatusBadGateway, "the header Destination names another server")

// Foreign returns the error for a request with destination, which is on another server.
func (s Server) Foreign(r *http.Request, destination *url.URL) error {
	_, known := s.Of(r)
	return &ForeignError{Asked: destination.Host, Known: known}
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("the header Destination names the host %.255q, but this server got the request as %.255q; "+
		"if both are the same server, let the proxy in front pass on the host that clients use "+
		"(Apache: ProxyPreserveHost On; nginx: proxy_set_header Host $http_host), "+
		"or send it in X-Forwarded-Host and name the proxy with --trusted-proxy", e.Asked, e.Known)
}

// Unwrap returns the error for the client.
func (e *ForeignError) Unwrap() error { return errForeign }

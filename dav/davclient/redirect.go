package davclient

import (
	"fmt"
	"net/http"
	"slices"
)

// maxRedirections limits how often one request is sent, the first time included.
const maxRedirections = 10

// followed are the statuses of a redirection that the client follows. With 301 and
// 302 a client may change POST into GET but no other method (RFC 9110 §15.4.2,
// §15.4.3). 303 (See Other) is missing because it names another resource.
var followed = []int{
	http.StatusMovedPermanently, http.StatusFound,
	http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
}

// redirected returns the request to send next if response redirects r, or nil if
// it does not.
func (c *Client) redirected(r *http.Request, response *http.Response) (*http.Request, error) {
	location := response.Header.Get("Location")
	if location == "" || !slices.Contains(followed, response.StatusCode) {
		return nil, nil //nolint:nilnil // nil means no redirection
	}
	u, err := r.URL.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("%s %s: redirected to a malformed Location", r.Method, r.URL)
	}
	u.User = nil
	reading := r.Method == http.MethodGet || r.Method == http.MethodHead
	downgrade := r.URL.Scheme == "https" && u.Scheme != "https"
	switch {
	case u.Scheme != "http" && u.Scheme != "https", downgrade, !reading && !sameOrigin(r.URL, u):
		return nil, fmt.Errorf("%s %s: %w: redirected to %s", r.Method, r.URL, ErrOtherServer, u)
	case r.Body != nil && r.Body != http.NoBody && r.GetBody == nil:
		return nil, fmt.Errorf("%s %s: redirected to %s, but the body can't be sent again", r.Method, r.URL, u)
	}
	next := r.Clone(r.Context())
	next.URL, next.Host = u, ""
	if r.GetBody != nil {
		if next.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return next, nil
}

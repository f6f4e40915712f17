package davclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// Client speaks WebDAV with one server. Its methods take references (RFC 3986
// §4.1), which are resolved against Base: "photos/img%2001.jpg", "/a/", or a
// whole URL. A reference is escaped: url.URL has EscapedPath for that. One that
// leads to another server is refused with [ErrOtherServer].
//
// A redirection is followed with the same method and body (RFC 9110 §15.4), as
// servers redirect to a collection that was named without its slash; only that
// of a GET may lead to another server, which gets no credentials.
//
// With [WithInterim] in its context a request asks for interim responses.
//
// A Client may be used by several goroutines at once.
type Client struct {
	// Base is an absolute URL with the scheme http or https. Required.
	Base *url.URL
	// User is sent to the host of Base with every request (RFC 7617). Nil: none.
	User *url.Userinfo
	// Transport sends the requests. Nil: http.DefaultTransport. It need not be a
	// [Transport].
	Transport http.RoundTripper
	// UserAgent is that of the requests. "": davclient.
	UserAgent string
}

// New returns a Client for an absolute URL, and the user that it names.
func New(base string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%q is not an http:// or https:// URL", u.Redacted())
	}
	c := &Client{Base: u, User: u.User}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return c, nil
}

// ErrOtherServer is that of a reference that leads to another server than Base.
var ErrOtherServer = errors.New("davclient: another server")

// Resolve returns the URL of a reference.
func (c *Client) Resolve(ref string) (*url.URL, error) {
	u, err := c.Base.Parse(ref)
	if err != nil {
		return nil, err
	}
	if !sameOrigin(u, c.Base) {
		return nil, fmt.Errorf("%w: %s is not at %s", ErrOtherServer, u.Redacted(), c.Base.Host)
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return u, nil
}

// sameOrigin compares scheme, host and port (RFC 6454 §4).
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// Do sends a request with any method, and returns its final response, whatever
// its status. The body of the response must be closed.
func (c *Client) Do(ctx context.Context, method, ref string, header http.Header, body io.Reader) (*http.Response, error) {
	u, err := c.Resolve(ref)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	maps.Copy(r.Header, header)
	return c.send(r)
}

// send sends r and what it is redirected to.
func (c *Client) send(r *http.Request) (*http.Response, error) {
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", cmp.Or(c.UserAgent, userAgent))
	}
	client := http.Client{
		Transport:     &Transport{Base: c.Transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for range maxRedirections {
		c.authorize(r)
		response, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		next, err := c.redirected(r, response)
		if err != nil || next != nil {
			response.Body.Close()
		}
		if err != nil {
			return nil, err
		}
		if next == nil {
			return response, nil
		}
		r = next
	}
	return nil, fmt.Errorf("%s %s: more than %d redirections", r.Method, r.URL, maxRedirections)
}

// authorize gives r the credentials that its host may see.
func (c *Client) authorize(r *http.Request) {
	if !sameOrigin(r.URL, c.Base) {
		r.Header.Del("Authorization")
		r.Header.Del("Cookie")
		return
	}
	if c.User != nil {
		password, _ := c.User.Password()
		r.SetBasicAuth(c.User.Username(), password)
	}
}

// expect sends a request, reads all of its response, and returns its status, or
// an *Error where that is not one of success.
func (c *Client) expect(ctx context.Context, method, ref string, header http.Header, body io.Reader) (status int, err error) {
	response, err := c.Do(ctx, method, ref, header, body)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, ResponseError(response)
}

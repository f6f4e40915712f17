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
// §4.1) and resolve them against Base: "photos/img%2001.jpg", "/a/", or a whole
// URL. References must be escaped, for example with url.URL's EscapedPath. A
// reference to another server fails with [ErrOtherServer].
//
// Client follows redirections with the same method and body (RFC 9110 §15.4),
// because servers redirect requests for a collection whose URL lacks the final
// slash. Only a GET or HEAD follows a redirection to another server, and it sends
// no credentials there.
//
// A request whose context comes from [WithInterim] asks for interim responses.
//
// Several goroutines may use a Client at once.
type Client struct {
	// Base is an absolute URL with the scheme http or https. Required.
	Base *url.URL
	// User is sent to the host of Base with every request (RFC 7617), unless it
	// is nil.
	User *url.Userinfo
	// Transport sends the requests. It may be any RoundTripper; nil means
	// http.DefaultTransport.
	Transport http.RoundTripper
	// UserAgent is the header User-Agent of every request. "" means "davclient".
	UserAgent string
}

// New returns a Client for an absolute URL. A user and password in the URL become
// the Client's User.
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

// ErrOtherServer is the error for a reference or redirection that leads away from
// the server of Base.
var ErrOtherServer = errors.New("davclient: another server")

// Resolve returns the absolute URL of a reference. It fails with ErrOtherServer
// if the reference leads to another server.
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
	if u.Scheme == "https" {
		return cmp.Or(u.Port(), "443")
	}
	return cmp.Or(u.Port(), "80")
}

// Do sends a request with any method and returns the final response, whatever its
// status. The caller must close the response's body.
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

// send sends r and follows redirections.
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

// authorize adds credentials to r for the server of Base, and removes them for
// any other server.
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

// expect sends a request, reads the whole response and returns its status, with
// an *Error unless the request succeeded.
func (c *Client) expect(ctx context.Context, method, ref string, header http.Header, body io.Reader) (status int, err error) {
	response, err := c.Do(ctx, method, ref, header, body)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, ResponseError(response)
}

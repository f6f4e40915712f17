package davclient

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Conditions make a request conditional (RFC 9110 §13.1). If a condition does not
// hold, the request fails with 412; a Get with IfNoneMatch fails with 304.
type Conditions struct {
	// IfMatch and IfNoneMatch are entity tags with their quotes, or "*". "" means
	// no condition.
	IfMatch, IfNoneMatch string
}

func (c Conditions) set(header http.Header) {
	if c.IfMatch != "" {
		header.Set("If-Match", c.IfMatch)
	}
	if c.IfNoneMatch != "" {
		header.Set("If-None-Match", c.IfNoneMatch)
	}
}

// Content is the content of a file. The caller must close it. Read returns an
// error other than io.EOF if the content is cut short.
type Content struct {
	io.ReadCloser
	// Size is in bytes, or Unknown.
	Size int64
	// Modified is zero if the server did not send it.
	Modified time.Time
	// ETag and ContentType are "" if the server did not send them.
	ETag, ContentType string
}

// Get returns the content of ref.
func (c *Client) Get(ctx context.Context, ref string, conditions Conditions) (*Content, error) {
	// A compressed response would come without a size.
	header := http.Header{"Accept-Encoding": {"identity"}}
	conditions.set(header)
	response, err := c.Do(ctx, http.MethodGet, ref, header, nil)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		unexpected := &Error{Method: http.MethodGet, URL: response.Request.URL.String(), Status: response.StatusCode}
		return nil, cmp.Or(ResponseError(response), error(unexpected))
	}
	content := &Content{
		ReadCloser: response.Body, Size: response.ContentLength,
		ETag: response.Header.Get("ETag"), ContentType: response.Header.Get("Content-Type"),
	}
	if modified, err := http.ParseTime(response.Header.Get("Last-Modified")); err == nil {
		content.Modified = modified
	}
	return content, nil
}

// PutOptions are the options of Put.
type PutOptions struct {
	Conditions

	// Size is the size of the body in bytes. If it is 0, Put takes the size of a
	// bytes.Reader, bytes.Buffer or strings.Reader, and sends any other body
	// without a size.
	Size int64
	// Modified is sent as X-OC-Mtime, which some servers ignore. If it is zero,
	// the server uses its own time.
	Modified time.Time
}

// Put creates or replaces the file ref. It reports whether it created the file.
func (c *Client) Put(ctx context.Context, ref string, body io.Reader, o PutOptions) (created bool, err error) {
	u, err := c.Resolve(ref)
	if err != nil {
		return false, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, u.String(), body)
	if err != nil {
		return false, err
	}
	if o.Size > 0 {
		r.ContentLength = o.Size
	}
	o.set(r.Header)
	if !o.Modified.IsZero() {
		r.Header.Set("X-OC-Mtime", strconv.FormatInt(o.Modified.Unix(), 10))
	}
	response, err := c.send(r)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusCreated, ResponseError(response)
}

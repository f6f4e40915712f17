package davclient

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Conditions are those of a request (RFC 9110 §13.1). One that does not hold
// makes it fail: with 412, a Get with IfNoneMatch with 304.
type Conditions struct {
	// IfMatch and IfNoneMatch are entity tags with their quotes, or "*"; "" for
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

// Content is that of a file. It must be closed, and ends with an error where it
// is not complete.
type Content struct {
	io.ReadCloser
	// Size is in bytes, or Unknown.
	Size int64
	// Modified is zero where the server has not told.
	Modified time.Time
	// ETag and ContentType are "" where the server has not told.
	ETag, ContentType string
}

// Get returns the content of ref.
func (c *Client) Get(ctx context.Context, ref string, conditions Conditions) (*Content, error) {
	// Compressed on the way it would come without its size.
	header := http.Header{"Accept-Encoding": {"identity"}}
	conditions.set(header)
	response, err := c.Do(ctx, http.MethodGet, ref, header, nil)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		if err := ResponseError(response); err != nil {
			return nil, err
		}
		return nil, &Error{Method: http.MethodGet, URL: response.Request.URL.String(), Status: response.StatusCode}
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

// PutOptions are those of Put.
type PutOptions struct {
	Conditions

	// Size is that of the body, in bytes. 0: it is found out where the body is a
	// bytes.Reader, bytes.Buffer or strings.Reader, and otherwise not known.
	Size int64
	// Modified is sent as X-OC-Mtime, of which not all servers take notice. Zero:
	// the server's time.
	Modified time.Time
}

// Put makes or replaces the file ref. It reports whether there was nothing
// before.
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

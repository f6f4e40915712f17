package dav

import (
	"net/http"
	"strconv"
	"strings"
)

// compressFrom is how long an answer is to be compressed, in bytes: below, it
// fits into one packet as it is.
const compressFrom = 1 << 10

// compressor is the http.ResponseWriter of an answer that may be compressed. It
// decides when the final header is there and the length is known to be enough;
// until then it keeps both back:
//
//	undecided ──── plain
//	          └─── compressed
//
// Interim responses pass. As any ResponseWriter it is used by one goroutine at a
// time.
type compressor struct {
	http.ResponseWriter
	coding *contentCoding
	must   bool // the client refuses what is not compressed

	status  int    // of the final response, 0 before it
	held    []byte // of the body, while undecided
	decided bool
	encoder encoder // nil: plain
}

// Unwrap is for http.ResponseController.
func (c *compressor) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader puts the final header off if it is still to be seen whether the
// body will be compressed.
func (c *compressor) WriteHeader(status int) {
	switch {
	case status < http.StatusOK:
		c.ResponseWriter.WriteHeader(status)
		return
	case c.status != 0:
		return
	}
	c.status = status
	header := c.Header()
	// Nothing is held yet that could fail to be written.
	switch n, err := strconv.Atoi(header.Get("Content-Length")); {
	case !compressible(status, header):
		_ = c.decide(false)
	case err == nil:
		_ = c.decide(n >= compressFrom || c.must && n > 0)
	}
}

func (c *compressor) Write(p []byte) (int, error) {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	if !c.decided {
		if len(c.held)+len(p) < compressFrom {
			c.held = append(c.held, p...)
			return len(p), nil
		}
		if err := c.decide(true); err != nil {
			return 0, err
		}
	}
	if c.encoder == nil {
		return c.ResponseWriter.Write(p)
	}
	return c.encoder.Write(p)
}

// FlushError lets the client decode all that was written. A body whose end is
// not in sight is compressed however short its beginning is.
func (c *compressor) FlushError() error {
	if c.status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	if err := c.decide(true); err != nil {
		return err
	}
	if c.encoder != nil {
		if err := c.encoder.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(c.ResponseWriter).Flush()
}

// finish ends the body. c may be nil.
func (c *compressor) finish() error {
	if c == nil || c.status == 0 {
		return nil
	}
	if !c.decided {
		compress := c.must && len(c.held) > 0
		if !compress {
			c.Header().Set("Content-Length", strconv.Itoa(len(c.held)))
		}
		if err := c.decide(compress); err != nil {
			return err
		}
	}
	if c.encoder == nil {
		return nil
	}
	return c.encoder.Close()
}

// release gives the encoder back. c may be nil.
func (c *compressor) release() {
	if c != nil && c.encoder != nil {
		c.coding.release(c.encoder)
		c.encoder = nil
	}
}

// decide sends the header and what was held, unless that has been done.
func (c *compressor) decide(compress bool) error {
	if c.decided {
		return nil
	}
	c.decided = true
	if compress {
		c.encoder = c.coding.encoder(c.ResponseWriter)
	}
	if c.encoder != nil {
		setCoding(c.Header(), c.coding)
	}
	c.ResponseWriter.WriteHeader(c.status)
	held := c.held
	c.held = nil
	if len(held) == 0 {
		return nil
	}
	_, err := c.Write(held)
	return err
}

// setCoding says in header that the body is in coding.
func setCoding(header http.Header, coding *contentCoding) {
	header.Del("Content-Length")
	header.Set("Content-Encoding", coding.name)
	varyEncoding(header)
	// Two codings of one resource are not the same bytes (RFC 9110 §8.8.3.3).
	if tag := header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		header.Set("ETag", "W/"+tag)
	}
}

// compressible reports whether a final response with such a header may be.
func compressible(status int, header http.Header) bool {
	if status == http.StatusNoContent || status == http.StatusNotModified || header.Get("Content-Encoding") != "" {
		return false
	}
	contentType, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	switch contentType {
	case "text/xml", "application/xml", "application/json", "text/html", "text/plain":
		return true
	}
	return false
}

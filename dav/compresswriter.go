package dav

import (
	"net/http"
	"strconv"
	"strings"
)

// compressFrom is the minimum length of an answer that is compressed, in bytes. A
// shorter one fits into one packet uncompressed.
const compressFrom = 1 << 10

// compressor is the http.ResponseWriter of an answer that may be compressed. It holds
// back the final header and the beginning of the body until it can decide:
//
//	undecided ──── plain
//	          └─── compressed
//
// Interim responses are passed on immediately. Like any ResponseWriter, a compressor is
// used by one goroutine at a time.
type compressor struct {
	http.ResponseWriter
	coding *contentCoding
	must   bool // the client refuses an uncompressed answer

	status  int    // of the final response, 0 before it
	held    []byte // beginning of the body, while undecided
	decided bool
	encoder encoder // nil: plain
}

// Unwrap returns the original writer, for http.ResponseController.
func (c *compressor) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader holds the final header back if it can't yet decide whether to compress
// the body.
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
	// Errors are ignored: decide can't fail while no part of the body is held.
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

// FlushError makes everything written so far decodable for the client. It decides to
// compress, however short the body is so far, because its length is unknown.
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

// finish completes the body. c may be nil.
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

// decide sends the header and the held part of the body. It does nothing if the
// decision was made before.
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
	// Two codings of one resource differ in their bytes (RFC 9110 §8.8.3.3), so they can't
	// share a strong entity tag.
	if tag := header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		header.Set("ETag", "W/"+tag)
	}
}

// compressible reports whether a final response with this status and header may be
// compressed.
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

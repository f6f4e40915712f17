// Package compress compresses the answers that the server generates (RFC 9110 §8.4).
package compress

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/davd/davd/dav/internal/field"
)

// compressFrom is the minimum length of an answer that is compressed, in bytes. A
// shorter one fits into one packet uncompressed.
const compressFrom = 1 << 10

// Writer is the http.ResponseWriter of an answer that may be compressed. It holds
// back the final header and the beginning of the body until it can decide:
//
//	undecided ──── plain
//	          └─── compressed
//
// Interim responses are passed on immediately. Like any ResponseWriter, a compressor is
// used by one goroutine at a time.
type Writer struct {
	http.ResponseWriter
	encoders *Encoders
	coding   contentCoding
	must     bool // the client refuses an uncompressed answer

	status  int    // of the final response, 0 before it
	held    []byte // beginning of the body, while undecided
	decided bool
	encoder encoder // nil: plain
}

// Unwrap returns the original writer, for http.ResponseController.
func (c *Writer) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader holds the final header back if it can't yet decide whether to compress
// the body.
func (c *Writer) WriteHeader(status int) {
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

func (c *Writer) Write(p []byte) (int, error) {
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
func (c *Writer) FlushError() error {
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

// Finish completes the body. c may be nil.
func (c *Writer) Finish() error {
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

// Release gives the encoder back. c may be nil.
func (c *Writer) Release() {
	if c != nil && c.encoder != nil {
		c.encoders.giveBack(c.coding, c.encoder)
		c.encoder = nil
	}
}

// decide sends the header and the held part of the body. It does nothing if the
// decision was made before.
func (c *Writer) decide(compress bool) error {
	if c.decided {
		return nil
	}
	c.decided = true
	if compress {
		c.encoder = c.encoders.take(c.coding, c.ResponseWriter)
	}
	if c.encoder != nil {
		c.Announce()
	}
	c.ResponseWriter.WriteHeader(c.status)
	if len(c.held) == 0 {
		return nil
	}
	_, err := c.Write(c.held)
	c.held = nil
	return err
}

// Announce says in the header that the body is compressed, also in that of an answer to a
// HEAD request. c may be nil.
func (c *Writer) Announce() {
	if c == nil {
		return
	}
	header := c.Header()
	header.Del("Content-Length")
	header.Set("Content-Encoding", c.coding.String())
	VaryEncoding(header)
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

// VaryEncoding says in header that the answer depends on the client's Accept-Encoding
// (RFC 9110 §12.5.5).
func VaryEncoding(header http.Header) {
	for element := range field.Elements(header["Vary"]) {
		if element == "*" || strings.EqualFold(element, "Accept-Encoding") {
			return
		}
	}
	header.Add("Vary", "Accept-Encoding")
}

// Writer returns a writer to w for a client that sent values in Accept-Encoding. It
// returns nil if the answer must not be compressed. With onlyIfNeeded, it compresses only
// for a client that refuses an uncompressed answer.
func (e *Encoders) Writer(w http.ResponseWriter, values []string, onlyIfNeeded bool) *Writer {
	if len(values) == 0 {
		return nil
	}
	coding, ok, must := acceptedCoding(values)
	if !ok || onlyIfNeeded && !must {
		return nil
	}
	return &Writer{ResponseWriter: w, encoders: e, coding: coding, must: must}
}

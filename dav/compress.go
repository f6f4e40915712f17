package dav

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/davd/davd/dav/internal/field"
)

// Compression says for which clients the server compresses the answers that it
// generates: multi-statuses, indexes and errors, if they have 1 KiB or more and the
// client accepts gzip or zstd (RFC 9110 §12.5.3). Files are never compressed, so that
// the kernel can send them, and all clients get the same ranges and entity tags.
type Compression int

const (
	// CompressAuto compresses for all clients except those on this machine, for which
	// compressing takes longer than sending. If a request from this machine shows signs of
	// a proxy, its client counts as one elsewhere.
	CompressAuto Compression = iota
	// CompressAlways compresses for every client that accepts it.
	CompressAlways
	// CompressNever never compresses.
	CompressNever
)

var compressions = [...]string{CompressAuto: "auto", CompressAlways: "always", CompressNever: "never"}

// String returns "auto", "always" or "never".
func (c Compression) String() string { return wordOf(compressions[:], c, "Compression") }

// compressor returns a writer that may compress the answer to r, or nil if the answer
// must not be compressed.
func (h *Handler) compressor(w http.ResponseWriter, r *http.Request) *compressor {
	values := r.Header["Accept-Encoding"]
	if h.Compress == CompressNever || len(values) == 0 {
		return nil
	}
	coding, must := acceptedCoding(values)
	if coding == nil || h.Compress == CompressAuto && !must && onThisMachine(r) {
		return nil
	}
	return &compressor{ResponseWriter: w, coding: coding, must: must}
}

// operationCompressor is compressor for all methods except GET and HEAD. A file's way
// must stay free of a writer that could hide the connection's ReadFrom; index
// calls compressor itself.
func (h *Handler) operationCompressor(w http.ResponseWriter, r *http.Request) *compressor {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	return h.compressor(w, r)
}

// varyEncoding says in header that the answer depends on the client's Accept-Encoding
// (RFC 9110 §12.5.5).
func varyEncoding(header http.Header) {
	for element := range field.Elements(header["Vary"]) {
		if element == "*" || strings.EqualFold(element, "Accept-Encoding") {
			return
		}
	}
	header.Add("Vary", "Accept-Encoding")
}

// onThisMachine reports whether r's client runs on this machine: it connects from a
// loopback address or a Unix socket, and the request shows no sign of a proxy.
func onThisMachine(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return !proxied(r)
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() && !proxied(r)
}

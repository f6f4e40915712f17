package dav

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Compression says to whom the answers that the server makes itself are
// compressed: multi-statuses, indexes and errors of 1 KiB or more, for a client
// that accepts gzip or zstd (RFC 9110 §12.5.3). Files go as they are: so the
// kernel can send them, and ranges and entity tags mean the same to everyone.
type Compression int

const (
	// CompressAuto compresses for all but clients on this machine: there a
	// listing is sent sooner than it is compressed. A request from this machine
	// that shows that a proxy stands between is of a client elsewhere.
	CompressAuto Compression = iota
	// CompressAlways compresses for every client that accepts it.
	CompressAlways
	// CompressNever compresses for none.
	CompressNever
)

var compressions = [...]string{CompressAuto: "auto", CompressAlways: "always", CompressNever: "never"}

// String returns "auto", "always" or "never".
func (c Compression) String() string {
	if c < 0 || int(c) >= len(compressions) {
		return fmt.Sprintf("Compression(%d)", int(c))
	}
	return compressions[c]
}

// ParseCompression is the inverse of [Compression.String].
func ParseCompression(s string) (Compression, error) {
	i := slices.Index(compressions[:], s)
	if i < 0 {
		return 0, fmt.Errorf("%q is none of %s", s, strings.Join(compressions[:], ", "))
	}
	return Compression(i), nil
}

// compressor returns the writer for the answer to r if that may be compressed,
// or nil.
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

// operationCompressor leaves out GET and HEAD: what could hide the connection's
// ReadFrom stays out of a file's way. serveIndex asks for itself.
func (h *Handler) operationCompressor(w http.ResponseWriter, r *http.Request) *compressor {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	return h.compressor(w, r)
}

// varyEncoding says in header that another client may get the answer in another
// coding (RFC 9110 §12.5.5).
func varyEncoding(header http.Header) {
	for element := range listElements(header["Vary"]) {
		if element == "*" || strings.EqualFold(element, "Accept-Encoding") {
			return
		}
	}
	header.Add("Vary", "Accept-Encoding")
}

// onThisMachine reports whether the client is: at a loopback address or at a Unix
// socket, without a proxy.
func onThisMachine(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return !proxied(r)
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() && !proxied(r)
}

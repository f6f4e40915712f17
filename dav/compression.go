package dav

import (
	"fmt"
	"net/http"
	"net/netip"

	"github.com/davd/davd/dav/internal/compress"
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
func (c Compression) String() string {
	if c < 0 || int(c) >= len(compressions) {
		return fmt.Sprintf("Compression(%d)", int(c))
	}
	return compressions[c]
}

// compressor returns a writer that may compress the answer to r, or nil if the answer
// must not be compressed.
func (h *Handler) compressor(w http.ResponseWriter, r *http.Request) *compress.Writer {
	if h.Compress == CompressNever {
		return nil
	}
	return h.kept().encoders.Writer(w, r.Header["Accept-Encoding"], h.Compress == CompressAuto && onThisMachine(r))
}

// onThisMachine reports whether r's client runs on this machine: it connects from a
// loopback address or a Unix socket, and the request shows no sign of a proxy.
func onThisMachine(r *http.Request) bool {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	return (err != nil || remote.Addr().IsLoopback()) && field.ProxySign(r.Header) == ""
}

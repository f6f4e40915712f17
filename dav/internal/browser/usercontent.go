package browser

import (
	"io"
	"net/http"
	"strings"
)

// Stored files have the server's origin in a browser. They must not run there: otherwise
// a user who may upload could act with the credentials of everyone who opens a file.
// These header values prevent that:
//
//   - nosniff: the browser does not guess another type for the content;
//   - sandbox: the content gets a separate origin and can't run scripts;
//   - attachment: the browser saves the content instead of showing it. Elements such as
//     img ignore this;
//   - same-origin: pages of other sites can't embed the content, and so can't read it
//     through a bug in the browser or the processor (Cross-Origin-Resource-Policy).
//
// All answers share the slices, so they must not be modified.
var (
	nosniff    = []string{"nosniff"}
	sandbox    = []string{"sandbox"}
	attachment = []string{"attachment"}
	sameOrigin = []string{"same-origin"}
)

// Isolate sets the headers that every answer with content has: nosniff and same-origin.
func Isolate(header http.Header) {
	header["X-Content-Type-Options"] = nosniff
	header["Cross-Origin-Resource-Policy"] = sameOrigin
}

// SetContentPolicy sets the headers that keep a file with the content type from running
// code in a browser. If the type is not known yet, call it with "", and later again.
func SetContentPolicy(header http.Header, contentType string) {
	contentType, _, _ = strings.Cut(contentType, ";")
	contentType = strings.ToLower(strings.TrimSpace(contentType))
	Isolate(header)
	// Chromium shows no PDF in a sandbox, and does not run PDFs in the server's origin.
	if contentType == "application/pdf" {
		delete(header, "Content-Security-Policy")
	} else {
		header["Content-Security-Policy"] = sandbox
	}
	if contentType != "" && !justShown(contentType) {
		header["Content-Disposition"] = attachment
	}
}

// justShown reports whether browsers show a file of the type without running anything in
// it. They save files of other types anyway, or might run them: HTML, all XML, scripts,
// and types that contain parts of any type.
func justShown(contentType string) bool {
	kind, rest, _ := strings.Cut(contentType, "/")
	switch {
	case strings.Contains(rest, "+xml"): // "svg+xml-compressed" too
		return false
	case kind == "image", kind == "audio", kind == "video", kind == "font":
		return true
	case kind == "text":
		for _, active := range []string{"html", "xml", "xsl", "script"} {
			if strings.Contains(rest, active) {
				return false
			}
		}
		return true
	}
	return contentType == "application/json" || contentType == "application/pdf"
}

// Sniff detects the content type of f from its beginning.
func Sniff(f io.ReadSeeker) (string, error) {
	var buf [512]byte // http.DetectContentType looks at no more
	n, err := io.ReadFull(f, buf[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF { //nolint:errorlint // as io.ReadFull has them
		return "", err
	}
	_, err = f.Seek(0, io.SeekStart)
	return http.DetectContentType(buf[:n]), err
}

package dav

import (
	"io"
	"net/http"
	"strings"
)

// What a client has stored has the server's origin in a browser. There it must
// not act: whoever may upload could use the passwords of all who look at it.
//
//   - nosniff: the browser takes the content for nothing else than its type;
//   - sandbox: what is shown has an origin of its own, and no scripts;
//   - attachment: what is not just shown is saved. Elements such as img take no
//     notice of that;
//   - same-origin: pages of other sites can't embed the content, and so can't read it
//     through a defect of the browser or the processor (Cross-Origin-Resource-Policy).
//
// The values are shared by all answers: nobody changes a value in place.
var (
	nosniff    = []string{"nosniff"}
	sandbox    = []string{"sandbox"}
	attachment = []string{"attachment"}
	sameOrigin = []string{"same-origin"}
)

// setContentPolicy sets in header what keeps a file of the type from acting in a
// browser. It may be called with "" while the type is not known, and again.
func setContentPolicy(header http.Header, contentType string) {
	contentType, _, _ = strings.Cut(contentType, ";")
	contentType = strings.ToLower(strings.TrimSpace(contentType))
	header["X-Content-Type-Options"] = nosniff
	header["Cross-Origin-Resource-Policy"] = sameOrigin
	// Chromium shows no PDF in a sandbox, and runs none in the server's origin.
	if contentType == "application/pdf" {
		delete(header, "Content-Security-Policy")
	} else {
		header["Content-Security-Policy"] = sandbox
	}
	if contentType != "" && !justShown(contentType) {
		header["Content-Disposition"] = attachment
	}
}

// justShown reports whether browsers show a file of the type, and run nothing in
// it. What is not on the list they save anyway, or they might run it: HTML,
// anything in XML, scripts, and what holds parts of any type.
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

// sniffLen is how much of a content is looked at to find its type, in bytes.
const sniffLen = 512

// sniff returns the content type of the content that f begins with.
func sniff(f io.ReadSeeker) (string, error) {
	var buf [sniffLen]byte
	n, err := io.ReadFull(f, buf[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF { //nolint:errorlint // as io.ReadFull has them
		return "", err
	}
	_, err = f.Seek(0, io.SeekStart)
	return http.DetectContentType(buf[:n]), err
}

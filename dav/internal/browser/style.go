package browser

import (
	"crypto/sha256"
	_ "embed" // for Style
	"encoding/base64"
	"html/template"
	"net/http"
)

// Style is the stylesheet of all pages except the plain index.
//
//go:embed style.css
var styleSheet string

// Style returns the stylesheet of all pages except the plain index. A page has it inline, so
// that it needs no second request.
func Style() string { return styleSheet }

// SourceHash returns the source of an inline style or script for a Content-Security-Policy.
func SourceHash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

//go:embed error.html
var errorText string

var errorPage = template.Must(template.New("").Parse(errorText))

// An Error is what the page of an error shows.
type Error struct {
	// Status is an HTTP status. Title and Reason explain it to a person. Up is a reference to a
	// page that exists probably, or "". Again names the button that asks for the same page again,
	// or is "".
	Status        int
	Title, Reason string
	Up, Again     string
}

// Write answers with the page.
func (e Error) Write(w http.ResponseWriter) error {
	header := w.Header()
	header.Del("Content-Length")
	header.Del("Content-Location") // it would apply to the page (RFC 9110 §8.7)
	header.Del("Content-Disposition")
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src "+SourceHash(styleSheet)+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("Cache-Control", "no-store")
	Isolate(header)
	w.WriteHeader(e.Status)
	return errorPage.Execute(w, struct {
		Error
		Style template.CSS
	}{e, template.CSS(styleSheet)}) //nolint:gosec // it is constant
}

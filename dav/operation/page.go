package operation

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/browser"
)

//go:embed *.html
var pageFiles embed.FS

// pages are the templates. Most of their functions turn a part of a view into words.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"label": browser.Label, "relative": interim.Relative, "time": timeText, "count": countText, "status": statusText,
	"duration": func(from, to time.Time) string { return durationText(to.Sub(from)) },
	"running":  (*view).running, "progress": progressOf, "percent": percentText, "left": leftText, "rate": rateText,
	"verb": verbText, "kind": stateKind, "state": stateText, "members": membersText, "content": contentText,
	"of":        func(done, known int64) string { return doneOf(done, known, countText) },
	"rollsBack": func(v *view) bool { return v.rollsBack }, "reason": reasonText,
	"unnamed": func(v *view) int64 { return v.FailuresTotal - int64(len(v.Failures)) },
}).ParseFS(pageFiles, "*.html"))

// pageScript keeps the page of an operation and the list up to date while an operation
// is running. It fetches the whole page again, as a browser without scripts does, so that
// the server alone makes the content.
//
//go:embed operation.js
var pageScript string

// pagePolicy allows only the page's own style and script, and requests to its own server.
var pagePolicy = "default-src 'none'; style-src " + browser.SourceHash(browser.Style()) + "; script-src " + browser.SourceHash(pageScript) +
	"; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// page is what a template shows. A Live page updates itself: it has the script, and a
// browser without scripts reloads it every two seconds.
type page struct {
	Title  string
	Live   bool
	Style  template.CSS
	Script template.JS
	// View is the operation, for operation.html.
	View *view
	// Views are the operations, for list.html. Base precedes their IDs in references.
	// Owners says that the list shows whose they are.
	Views  []*view
	Base   string
	Owners bool
	// Listed says that the client has a list.
	Listed bool
	// Files is a reference to the root of the server, or "".
	Files string
}

// write answers with the page that the template name makes.
func (p *page) write(w http.ResponseWriter, name string) error {
	p.Style, p.Script = template.CSS(browser.Style()), template.JS(pageScript) //nolint:gosec // both are constant
	var content bytes.Buffer
	if err := pages.ExecuteTemplate(&content, name, p); err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", htmlType+"; charset=utf-8")
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("Referrer-Policy", "same-origin") // with "no-referrer" the form would send no Origin
	browser.Isolate(header)
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(content.Bytes())
	return err
}

// respondPage writes a status document as a page for a browser. listed says that the client has
// a list.
func (d Documents) respondPage(w http.ResponseWriter, v *view, listed bool) error {
	p := page{Title: pageTitle(v), Live: v.running(), View: v, Listed: listed}
	if d.Files {
		p.Files = "../"
	}
	return p.write(w, "operation.html")
}

// pageTitle returns the title of the page. The progress comes first, because a tab
// shows only the start of the title.
func pageTitle(v *view) string {
	title := verbText(v) + " " + v.Source
	if v.Destination != "" {
		title += " to " + v.Destination
	}
	if !v.running() || v.Stopping {
		return stateWord(v) + ": " + title
	}
	if percent := percentText(v); percent != "" {
		return percent + " " + title
	}
	return title
}

package operation

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/storage/history"
)

//go:embed *.html
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{"label": browser.Label}).ParseFS(pageFiles, "*.html"))

//go:embed operation.css
var pageStyle string

// pageScript keeps the page of an operation and the list up to date while an operation
// is running. It fetches the whole page again, as a browser without scripts does, so that
// the server alone makes the content.
//
//go:embed operation.js
var pageScript string

// pagePolicy allows only the page's own style and script, and requests to its own server.
var pagePolicy = "default-src 'none'; style-src " + sourceHash(pageStyle) + "; script-src " + sourceHash(pageScript) +
	"; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// sourceHash returns the source of an inline style or script for a
// Content-Security-Policy.
func sourceHash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// page is what all pages have. A Live one updates itself: it has the script, and a browser
// without scripts reloads it every two seconds.
type page struct {
	Title  string
	Live   bool
	Style  template.CSS
	Script template.JS
}

func newPage(title string, live bool) page {
	return page{Title: title, Live: live, Style: template.CSS(pageStyle), Script: template.JS(pageScript)} //nolint:gosec // both are constant
}

// writePage answers with a page, made by the template name.
func writePage(w http.ResponseWriter, name string, data any) error {
	var content bytes.Buffer
	if err := pages.ExecuteTemplate(&content, name, data); err != nil {
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

// operationPage is the page of an operation.
type operationPage struct {
	page
	Method, Source, Destination, Principal string

	// Done and Total are for the progress bar, and Percent and Left for the line below it.
	// Total is 0 during a rollback, whose progress is unknown, and until all members are
	// counted. Counting says so.
	Done, Total   int64
	Percent, Left string
	Counting      bool
	// Kind is the CSS class for State.
	Kind, State string
	Terms       []namedText
	// Failed is the number of all failures, and More the number of those that are not among
	// Failures.
	Failed, More string
	Failures     []namedText
	// Does is what the Button does, or "" if the page has none.
	Does, Button string
}

type namedText struct{ Name, Text string }

// respondPage writes a status document as a page for a browser.
func respondPage(w http.ResponseWriter, v *view) error {
	p := operationPage{
		page:   newPage(pageTitle(v), v.running()),
		Method: v.Method, Source: v.Source, Destination: v.Destination, Principal: v.Principal,
		Counting: v.Known > 0 && !v.stopping, Kind: stateKind(v), State: stateLine(v), Terms: pageTerms(v),
	}
	if !v.stopping {
		p.Done, p.Total = extent(v)
		p.Percent, p.Left = percentLine(v), leftLine(v)
	}
	for _, failure := range v.Failures {
		p.Failures = append(p.Failures, namedText{interim.Relative(v.Source, failure.Name), statusLine(failure.Status)})
	}
	if v.FailuresTotal > 0 {
		p.Failed = countText(v.FailuresTotal)
	}
	if more := v.FailuresTotal - int64(len(v.Failures)); more > 0 {
		p.More = countText(more)
	}
	p.Does, p.Button = pageButton(v)
	return writePage(w, "operation.html", &p)
}

// pageTitle returns the title of the page. The progress comes first, because a tab
// shows only the start of the title.
func pageTitle(v *view) string {
	title := v.Method + " " + v.Source
	if v.Destination != "" {
		title += " to " + v.Destination
	}
	if !v.running() || v.stopping {
		return stateWord(v) + ": " + title
	}
	if percent := percentLine(v); percent != "" {
		return percent + " " + title
	}
	return title
}

// pageButton returns what the button does, and its label: it stops a running operation,
// or forgets one that has ended. An operation that is stopping has no button.
func pageButton(v *view) (does, label string) {
	switch {
	case v.stopping:
		return "", ""
	case !v.running():
		return "forget", "Forget this operation"
	case v.Destination != "":
		return "stop", "Stop and roll back"
	}
	return "stop", "Stop"
}

// pageTerms returns the facts about an operation below its state.
func pageTerms(v *view) []namedText {
	var terms []namedText
	if v.Reason != "" {
		terms = append(terms, namedText{"Reason", v.Reason})
	}
	terms = append(terms, namedText{"Members", ofLine(v, v.Done, v.Known, countText)})
	if v.Bytes > 0 || v.KnownBytes > 0 {
		terms = append(terms, namedText{"Content", ofLine(v, v.Bytes, v.KnownBytes, sizeText)})
	}
	if v.Current != "" && v.running() && !v.stopping {
		terms = append(terms, namedText{"Current", interim.Relative(v.Source, v.Current)})
	}
	if (v.members > 0 || v.bytes > 0) && !v.stopping {
		terms = append(terms, namedText{"Rate", rateLine(v)})
	}
	return append(terms, pageTimes(&v.Record)...)
}

// pageTimes returns when an operation began and ended, and how long it has taken.
func pageTimes(r *history.Record) []namedText {
	started := r.Started.UTC().Format(pageTime)
	if r.Ended.IsZero() {
		return []namedText{{"Started", started + ", " + durationLine(r.Updated.Sub(r.Started)) + " ago"}}
	}
	ended := r.Ended.UTC().Format(pageTime) + ", after " + durationLine(r.Ended.Sub(r.Started))
	return []namedText{{"Started", started}, {"Ended", ended}}
}

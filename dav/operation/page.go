package operation

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strconv"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/storage/history"
)

//go:embed operation.css
var operationStyle string

// operationScript keeps the page of an operation and the list up to date while an
// operation is running. It fetches the whole page again, as a browser without scripts
// does, so that the server alone makes the content.
//
//go:embed operation.js
var operationScript string

// operationPolicy allows only the page's own style and script, and requests to its
// own server.
var operationPolicy = "default-src 'none'; style-src " + sourceHash(operationStyle) + "; script-src " + sourceHash(operationScript) +
	"; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// sourceHash returns the source of an inline style or script for a
// Content-Security-Policy.
func sourceHash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// respondPage writes a status document as a page for a browser.
func (s *Registry) respondPage(w http.ResponseWriter, status int, view *operationView) error {
	r := &view.record
	running := r.Ended.IsZero()
	dst := appendPageHead(nil, pageTitle(view), running)
	dst = append(dst, "<h1>"...)
	dst = appendNames(dst, r)
	dst = append(dst, "</h1>\n<section id=\"status\">\n"...)
	dst = appendStatus(dst, view)
	dst = append(dst, "</section>\n<footer>\n"...)
	dst = appendForm(dst, view)
	if r.Principal != "" {
		dst = append(dst, `<p><a href="./">All operations</a></p>`+"\n"...)
	}
	return writePage(w, status, append(dst, "</footer>\n"...), running)
}

// appendForm appends a button that stops a running operation or forgets one that has
// ended. An operation that is stopping has no button.
func appendForm(dst []byte, view *operationView) []byte {
	does, label := "stop", "Stop"
	switch {
	case view.stopping():
		return dst
	case !view.record.Ended.IsZero():
		does, label = "forget", "Forget this operation"
	case view.record.Destination != "":
		label = "Stop and roll back"
	}
	return append(dst, `<form method="post"><input type="hidden" name="do" value="`+does+`"><button>`+label+"</button></form>\n"...)
}

// pageTitle returns the title of the page. The progress comes first, because a tab
// shows only the start of the title.
func pageTitle(view *operationView) string {
	r := &view.record
	title := r.Method + " " + r.Source
	if r.Destination != "" {
		title += " to " + r.Destination
	}
	if !r.Ended.IsZero() || view.stopping() {
		return stateWord(view) + ": " + title
	}
	if percent := percentLine(view); percent != "" {
		return percent + " " + title
	}
	return title
}

// appendPageHead appends the beginning of a page. If again is true, a browser without
// scripts reloads the page every two seconds.
func appendPageHead(dst []byte, title string, again bool) []byte {
	dst = append(dst, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"+
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"...)
	if again {
		dst = append(dst, "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>\n"...)
	}
	dst = append(dst, "<title>"...)
	dst = browser.AppendLabel(dst, title)
	return append(dst, "</title>\n<style>"+operationStyle+"</style>\n</head>\n<body>\n<main>\n"...)
}

// writePage completes and sends a page. If running is true, the page gets the script.
func writePage(w http.ResponseWriter, status int, page []byte, running bool) error {
	page = append(page, "</main>\n"...)
	if running {
		page = append(page, "<script type=\"module\">"+operationScript+"</script>\n"...)
	}
	header := w.Header()
	header.Set("Content-Type", htmlType+"; charset=utf-8")
	header.Set("Content-Security-Policy", operationPolicy)
	header.Set("Referrer-Policy", "same-origin") // with "no-referrer" the form would send no Origin
	browser.Isolate(header)
	w.WriteHeader(status)
	_, err := w.Write(append(page, "</body>\n</html>\n"...))
	return err
}

// appendNames appends the method, source and destination of an operation.
func appendNames(dst []byte, r *history.Record) []byte {
	dst = append(dst, r.Method+" <bdi>"...)
	dst = browser.AppendLabel(dst, r.Source)
	dst = append(dst, "</bdi>"...)
	if r.Destination != "" {
		dst = append(dst, " to <bdi>"...)
		dst = browser.AppendLabel(dst, r.Destination)
		dst = append(dst, "</bdi>"...)
	}
	return dst
}

// appendStatus appends the part of the page that changes while an operation runs.
func appendStatus(dst []byte, view *operationView) []byte {
	r := &view.record
	running := r.Ended.IsZero()
	if running {
		dst = appendBar(dst, view)
	}
	dst = append(dst, "<dl>\n<dt>State</dt><dd class=\"state "+stateKind(r)+"\">"+stateLine(view)+"</dd>\n"...)
	if r.Reason != "" {
		dst = appendTerm(dst, "Reason", r.Reason)
	}
	dst = appendTerm(dst, "Members", ofLine(view, r.Done, r.Known, appendCount))
	if r.Bytes > 0 || r.KnownBytes > 0 {
		dst = appendTerm(dst, "Content", ofLine(view, r.Bytes, r.KnownBytes, browser.AppendSize))
	}
	if r.Current != "" && running && !view.stopping() {
		dst = appendTerm(dst, "Current", interim.Relative(r.Source, r.Current))
	}
	if (view.members > 0 || view.bytes > 0) && !view.stopping() {
		dst = appendTerm(dst, "Rate", rateLine(view))
	}
	return appendFailures(append(appendTimes(dst, r), "</dl>\n"...), r)
}

// appendTimes appends when an operation began and ended, and how long it has taken.
func appendTimes(dst []byte, r *history.Record) []byte {
	started := r.Started.UTC().Format(pageTime)
	if r.Ended.IsZero() {
		return appendTerm(dst, "Started", started+", "+durationLine(r.Updated.Sub(r.Started))+" ago")
	}
	dst = appendTerm(dst, "Started", started)
	return appendTerm(dst, "Ended", r.Ended.UTC().Format(pageTime)+", after "+durationLine(r.Ended.Sub(r.Started)))
}

// appendBar appends the progress bar and, below it, the progress in words. The bar
// shows no value during a rollback, whose progress is unknown, and until all members
// are counted.
func appendBar(dst []byte, view *operationView) []byte {
	done, total := extent(view)
	if total == 0 || view.stopping() {
		dst = append(dst, "<progress aria-label=\"Progress\"></progress>\n"...)
		if view.record.Known > 0 && !view.stopping() {
			dst = append(dst, "<p class=\"far\"><span>still counting</span></p>\n"...)
		}
		return dst
	}
	dst = append(dst, `<progress aria-label="Progress" max="`...)
	dst = strconv.AppendInt(dst, total, 10)
	dst = append(dst, `" value="`...)
	dst = strconv.AppendInt(dst, done, 10)
	return append(dst, "\"></progress>\n<p class=\"far\"><strong>"+percentLine(view)+"</strong> <span>"+leftLine(view)+"</span></p>\n"...)
}

func appendTerm(dst []byte, term, text string) []byte {
	dst = append(dst, "<dt>"+term+"</dt><dd><bdi>"...)
	dst = browser.AppendLabel(dst, text)
	return append(dst, "</bdi></dd>\n"...)
}

// appendFailures appends the failed members that the record names, and the number of
// the others.
func appendFailures(dst []byte, r *history.Record) []byte {
	if r.FailuresTotal == 0 {
		return dst
	}
	dst = append(dst, "<h2>Failed: "...)
	dst = append(appendCount(dst, r.FailuresTotal), "</h2>\n<ul>\n"...)
	for _, failure := range r.Failures {
		dst = append(dst, "<li><bdi>"...)
		dst = browser.AppendLabel(dst, interim.Relative(r.Source, failure.Name))
		dst = append(dst, "</bdi>: "+statusLine(failure.Status)+"</li>\n"...)
	}
	if more := r.FailuresTotal - int64(len(r.Failures)); more > 0 {
		dst = append(appendCount(append(dst, "<li>and "...), more), " more</li>\n"...)
	}
	return append(dst, "</ul>\n"...)
}

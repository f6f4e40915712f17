package dav

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/storage/history"
)

//go:embed operation.css
var operationStyle string

// operationScript lets the status follow the events. Without it the page is loaded
// anew; so all that it shows is made in one place.
//
//go:embed operation.js
var operationScript string

// operationPolicy lets the page have its style and script, and its own server.
var operationPolicy = "default-src 'none'; style-src " + sourceHash(operationStyle) + "; script-src " + sourceHash(operationScript) +
	"; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// sourceHash names an inline style or script in a Content-Security-Policy.
func sourceHash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// respondPage writes a status document for people.
func (h *Handler) respondPage(w http.ResponseWriter, status int, view *operationView) error {
	r := &view.record
	running := r.Ended.IsZero()
	dst := appendPageHead(nil, r.Method+" "+r.Source, running)
	dst = append(dst, "<h1>"...)
	dst = appendNames(dst, r)
	dst = append(dst, "</h1>\n<section id=\"status\">\n"...)
	dst = h.appendStatus(dst, view)
	dst = append(dst, "</section>\n"...)
	does, label := "forget", "Forget"
	if running {
		does, label = "stop", "Stop"
		if r.Destination != "" {
			label = "Stop and roll back"
		}
	}
	dst = append(dst, `<form method="post"><input type="hidden" name="do" value="`+does+`"><button>`+label+"</button></form>\n"...)
	if r.Principal != "" {
		dst = append(dst, `<p><a href="./">All operations</a></p>`+"\n"...)
	}
	if running {
		dst = append(dst, "<script type=\"module\">"+operationScript+"</script>\n"...)
	}
	return writePage(w, status, dst)
}

// appendPageHead appends the beginning of a page, which is loaded again and again
// where there are no scripts.
func appendPageHead(dst []byte, title string, again bool) []byte {
	dst = append(dst, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"+
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"...)
	if again {
		dst = append(dst, "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>\n"...)
	}
	dst = append(dst, "<title>"...)
	dst = appendLabel(dst, title)
	return append(dst, "</title>\n<style>"+operationStyle+"</style>\n</head>\n<body>\n"...)
}

// writePage ends and sends a page.
func writePage(w http.ResponseWriter, status int, page []byte) error {
	header := w.Header()
	header.Set("Content-Type", htmlType+"; charset=utf-8")
	header.Set("Content-Security-Policy", operationPolicy)
	header.Set("Referrer-Policy", "same-origin") // "no-referrer" would hide the Origin of the form
	header["X-Content-Type-Options"] = nosniff
	w.WriteHeader(status)
	_, err := w.Write(append(page, "</body>\n</html>\n"...))
	return err
}

// appendNames appends what an operation does to what.
func appendNames(dst []byte, r *history.Record) []byte {
	dst = append(dst, r.Method+" <bdi>"...)
	dst = appendLabel(dst, r.Source)
	dst = append(dst, "</bdi>"...)
	if r.Destination != "" {
		dst = append(dst, " to <bdi>"...)
		dst = appendLabel(dst, r.Destination)
		dst = append(dst, "</bdi>"...)
	}
	return dst
}

// appendStatus appends what changes while an operation runs.
func (h *Handler) appendStatus(dst []byte, view *operationView) []byte {
	r := &view.record
	if r.Ended.IsZero() {
		dst = appendBar(dst, r)
	}
	dst = append(dst, "<dl>\n"...)
	dst = appendTerm(dst, "State", stateLine(r))
	if r.Reason != "" {
		dst = appendTerm(dst, "Because", r.Reason)
	}
	dst = appendTerm(dst, "Members", string(appendOf(nil, r.Done, r.Known, appendCount)))
	if r.Bytes > 0 || r.KnownBytes > 0 {
		dst = appendTerm(dst, "Content", string(appendOf(nil, r.Bytes, r.KnownBytes, appendSize)))
	}
	if r.Current != "" && r.Ended.IsZero() {
		dst = appendTerm(dst, "Current", relative(r.Source, r.Current))
	}
	if view.members > 0 || view.bytes > 0 {
		dst = appendTerm(dst, "Rate", rateLine(view))
	}
	if left, known := view.secondsLeft(); known {
		dst = appendTerm(dst, "Left", "about "+time.Duration(max(left, 1)*float64(time.Second)).Round(time.Second).String())
	}
	dst = appendTerm(dst, "Started", r.Started.UTC().Format(pageTime))
	if !r.Ended.IsZero() {
		dst = appendTerm(dst, "Ended", r.Ended.UTC().Format(pageTime))
	}
	return appendFailures(append(dst, "</dl>\n"...), r)
}

// pageTime is how a page shows a time.
const pageTime = "2006-01-02 15:04:05 UTC"

// appendBar appends the progress bar: of bytes if there are any, because members
// differ.
func appendBar(dst []byte, r *history.Record) []byte {
	done, total := r.Done, r.Known
	if r.KnownBytes > 0 {
		done, total = r.Bytes, r.KnownBytes
	}
	if total == 0 {
		return append(dst, "<progress aria-label=\"Progress\"></progress>\n"...)
	}
	dst = append(dst, `<progress aria-label="Progress" max="`...)
	dst = strconv.AppendInt(dst, total, 10)
	dst = append(dst, `" value="`...)
	dst = strconv.AppendInt(dst, done, 10)
	return append(dst, "\"></progress>\n"...)
}

func appendTerm(dst []byte, term, text string) []byte {
	dst = append(dst, "<dt>"+term+"</dt><dd><bdi>"...)
	dst = appendLabel(dst, text)
	return append(dst, "</bdi></dd>\n"...)
}

func stateLine(r *history.Record) string {
	line := string(r.State)
	if r.Status != 0 {
		line += ": " + strconv.Itoa(r.Status) + " " + http.StatusText(r.Status)
	}
	return line
}

func rateLine(view *operationView) string {
	line := strconv.FormatFloat(view.members, 'f', 1, 64) + " members a second"
	if view.bytes > 0 {
		line += ", " + string(appendSize(nil, int64(view.bytes))) + " a second"
	}
	return line
}

func appendCount(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// appendOf appends done and, if it is known, of how much.
func appendOf(dst []byte, done, known int64, appendNumber func([]byte, int64) []byte) []byte {
	dst = appendNumber(dst, done)
	if known > 0 {
		dst = appendNumber(append(dst, " of "...), known)
	}
	return dst
}

func appendFailures(dst []byte, r *history.Record) []byte {
	if r.FailuresTotal == 0 {
		return dst
	}
	dst = append(dst, "<h2>Failed: "+strconv.FormatInt(r.FailuresTotal, 10)+"</h2>\n<ul>\n"...)
	for _, failure := range r.Failures {
		dst = append(dst, "<li><bdi>"...)
		dst = appendLabel(dst, relative(r.Source, failure.Name))
		dst = append(dst, "</bdi>: "+strconv.Itoa(failure.Status)+" "+http.StatusText(failure.Status)+"</li>\n"...)
	}
	return append(dst, "</ul>\n"...)
}

// sortViews puts the last begun first.
func sortViews(views []*operationView) {
	slices.SortStableFunc(views, func(a, b *operationView) int {
		return cmp.Or(b.record.Started.Compare(a.record.Started), strings.Compare(a.record.ID, b.record.ID))
	})
}

// respondListPage writes the list of operations for people.
func (h *Handler) respondListPage(w http.ResponseWriter, r *http.Request, views []*operationView) error {
	running := slices.ContainsFunc(views, func(v *operationView) bool { return v.record.Ended.IsZero() })
	dst := appendPageHead(nil, "Operations", running)
	dst = append(dst, "<h1>Operations</h1>\n"...)
	switch {
	case len(views) > 0:
		dst = append(dst, "<table>\n<thead><tr><th scope=\"col\">Operation</th><th scope=\"col\">State</th>"+
			"<th scope=\"col\">Members</th><th scope=\"col\">Started</th></tr></thead>\n<tbody>\n"...)
	case h.principal(r) == "":
		dst = append(dst, "<p>You have not said who you are, so none of the operations is known to be yours. Each has a page of its own for whoever knows its address.</p>\n"...)
	default:
		dst = append(dst, "<p>There are none of the last day.</p>\n"...)
	}
	for _, view := range views {
		dst = appendRow(dst, view, operationsBase(r))
	}
	if len(views) > 0 {
		dst = append(dst, "</tbody>\n</table>\n"...)
	}
	return writePage(w, http.StatusOK, dst)
}

// operationsBase is what the relative references of the list begin with, as
// indexBase.
func operationsBase(r *http.Request) string {
	if strings.HasSuffix(r.URL.Path, "/") {
		return "./"
	}
	return "./" + OperationsName + "/"
}

func appendRow(dst []byte, view *operationView, base string) []byte {
	r := &view.record
	dst = append(dst, `<tr><td><a href="`+base+r.ID+`">`...)
	dst = appendNames(dst, r)
	dst = append(dst, "</a></td><td>"+stateLine(r)+"</td><td>"...)
	dst = appendOf(dst, r.Done, r.Known, appendCount)
	return append(dst, "</td><td>"+r.Started.UTC().Format(pageTime)+"</td></tr>\n"...)
}

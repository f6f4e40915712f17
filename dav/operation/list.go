package operation

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// sortViews sorts views by start time, the most recent first.
func sortViews(views []*operationView) {
	slices.SortStableFunc(views, func(a, b *operationView) int {
		return cmp.Or(b.record.Started.Compare(a.record.Started), strings.Compare(a.record.ID, b.record.ID))
	})
}

// respondListPage writes the list of operations as a page for a browser.
func (s *Registry) respondListPage(w http.ResponseWriter, r *http.Request, views []*operationView) error {
	running := slices.ContainsFunc(views, func(v *operationView) bool { return v.record.Ended.IsZero() })
	dst := appendPageHead(nil, "Operations", running)
	dst = append(dst, "<h1>Operations</h1>\n<section id=\"status\">\n"...)
	switch {
	case len(views) > 0:
		dst = append(dst, "<table>\n<thead><tr><th scope=\"col\">Operation</th><th scope=\"col\">State</th>"+
			"<th scope=\"col\">Members</th><th scope=\"col\">Started</th></tr></thead>\n<tbody>\n"...)
	case s.server.Principal(r) == "":
		dst = append(dst, "<p>You are not signed in, so the server can't tell which operations are yours. You can still open the page of an operation if you know its address.</p>\n"...)
	default:
		dst = append(dst, "<p>No operations in the last day.</p>\n"...)
	}
	for _, view := range views {
		dst = appendRow(dst, view, operationsBase(r))
	}
	if len(views) > 0 {
		dst = append(dst, "</tbody>\n</table>\n"...)
	}
	return writePage(w, http.StatusOK, append(dst, "</section>\n"...), running)
}

// operationsBase returns the start of the relative references in the list, like
// indexBase.
func operationsBase(r *http.Request) string {
	if strings.HasSuffix(r.URL.Path, "/") {
		return "./"
	}
	return "./" + Name + "/"
}

func appendRow(dst []byte, view *operationView, base string) []byte {
	r := &view.record
	dst = append(dst, `<tr><td><a href="`+base+r.ID+`">`...)
	dst = appendNames(dst, r)
	dst = append(dst, `</a></td><td class="state `+stateKind(r)+`">`+stateLine(view)...)
	if percent := percentLine(view); percent != "" && r.Ended.IsZero() && !view.stopping() {
		dst = append(dst, ", "+percent...)
	}
	dst = append(dst, "</td><td>"...)
	dst = appendOf(dst, r.Done, r.Known, appendCount)
	return append(dst, "</td><td>"+r.Started.UTC().Format(pageTime)+"</td></tr>\n"...)
}

package dav

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/status"
)

// errorTitles are the titles of pages for errors that people see often.
var errorTitles = map[int]string{
	http.StatusForbidden:           "You can't open this",
	http.StatusNotFound:            "There is nothing here",
	http.StatusConflict:            "That didn't work",
	http.StatusLocked:              "This is locked",
	http.StatusInternalServerError: "The server has a problem",
	http.StatusServiceUnavailable:  "The server is busy",
	http.StatusInsufficientStorage: "There is no room left",
}

// errorReasons are for errors without a reason of their own.
var errorReasons = map[int]string{
	http.StatusNotFound: "it may have been moved, renamed or deleted",
}

// Unauthorized answers with the status 401 and a reason: as a page for a browser, and otherwise as
// a text. A program that asks for passwords can use it, if it has Pages.
func Unauthorized(w http.ResponseWriter, r *http.Request, reason string) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost || !prefersHTML(r) {
		http.Error(w, reason, http.StatusUnauthorized)
		return
	}
	page := browser.Error{Status: http.StatusUnauthorized, Title: "You are not signed in", Reason: sentence(reason), Again: "Sign in"}
	_ = page.Write(w) // fails only if the client has gone
}

// shownAsPage reports whether an error is shown to a person, in a browser.
func (h *Handler) shownAsPage(r *http.Request, err error) bool {
	if h.Pages == nil || r.Method != http.MethodGet && r.Method != http.MethodPost {
		return false
	}
	return status.Of(err) >= http.StatusBadRequest && prefersHTML(r)
}

// respondErrorPage is respondError for a person.
func (h *Handler) respondErrorPage(w http.ResponseWriter, r *http.Request, err error) {
	code := status.Of(err)
	page := browser.Error{Status: code, Title: errorTitles[code], Reason: sentence(cmp.Or(status.Reason(err), errorReasons[code])), Up: "../"}
	if page.Title == "" {
		page.Title = http.StatusText(code)
	}
	if !strings.HasSuffix(r.URL.Path, "/") || r.Method == http.MethodPost {
		page.Up = "./"
	} else if name, nameErr := h.name(r.Context(), r.URL.Path); nameErr != nil || name == "/" {
		page.Up = ""
	}
	if code == http.StatusServiceUnavailable {
		page.Again = "Try again"
		w.Header().Set("Retry-After", "10")
	}
	_ = page.Write(w) // fails only if the client has gone
}

// sentence returns a reason as a sentence.
func sentence(reason string) string {
	if reason == "" {
		return ""
	}
	return strings.ToUpper(reason[:1]) + reason[1:] + "."
}

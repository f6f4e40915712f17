package dav

import (
	"net/http"
	"strings"

	"github.com/davd/davd/storage/tree"
)

// singleHeaders are the request headers that are not lists. A sender must not repeat
// them (RFC 9110 §5.3). If the server picked one of several values, a proxy in front of
// it might pick another one.
var singleHeaders = map[string]bool{
	"Content-Range":            true,
	"Depth":                    true,
	"Destination":              true,
	"If":                       true,
	"Lock-Token":               true,
	"Overwrite":                true,
	"X-Expected-Entity-Length": true,
	"X-Oc-Mtime":               true,
}

// checkSingle refuses a request that repeats one of singleHeaders.
func checkSingle(r *http.Request) error {
	for name, values := range r.Header {
		if len(values) > 1 && singleHeaders[name] {
			return &statusError{status: http.StatusBadRequest, reason: "the header " + name + " must not be repeated"}
		}
	}
	return nil
}

// depth parses the header Depth (RFC 4918 §10.2) as 0, 1 or [tree.Infinite]. Without
// the header, it returns absent. allowed lists the values that the method accepts.
func depth(r *http.Request, absent int, allowed ...string) (int, error) {
	values := r.Header["Depth"]
	if len(values) == 0 {
		return absent, nil
	}
	return parseDepth(r.Method, values[0], allowed...)
}

// parseDepth parses the value of the header Depth.
func parseDepth(method, value string, allowed ...string) (int, error) {
	for _, a := range allowed {
		if strings.EqualFold(value, a) {
			return depths[a], nil
		}
	}
	return 0, &statusError{status: http.StatusBadRequest, reason: "the header Depth must be " + strings.Join(allowed, " or ") + " for " + method}
}

// listingDepth parses the header Depth of a PROPFIND. Clients for Exchange and
// SharePoint send "1,noroot" for the members without the collection itself ([MS-WDV]
// 2.2.2), and "infinity,noroot" for its whole tree without the collection itself.
func listingDepth(r *http.Request) (depth int, noRoot bool, err error) {
	values := r.Header["Depth"]
	if len(values) == 0 {
		return tree.Infinite, false, nil
	}
	value, suffix, suffixed := strings.Cut(values[0], ",")
	if suffixed && strings.EqualFold(strings.Trim(suffix, " \t"), "noroot") {
		depth, err = parseDepth(r.Method, strings.TrimRight(value, " \t"), "1", "infinity")
		return depth, true, err
	}
	depth, err = parseDepth(r.Method, values[0], "0", "1", "infinity")
	return depth, false, err
}

var depths = map[string]int{"0": 0, "1": 1, "infinity": tree.Infinite}

// overwrite parses the header Overwrite (RFC 4918 §10.6).
func overwrite(r *http.Request) (bool, error) {
	values := r.Header["Overwrite"]
	switch {
	case len(values) == 0, strings.EqualFold(values[0], "T"):
		return true, nil
	case strings.EqualFold(values[0], "F"):
		return false, nil
	}
	return false, &statusError{status: http.StatusBadRequest, reason: "the header Overwrite must be T or F"}
}

// prefers reports whether the header Prefer (RFC 7240 §2) contains preference.
func prefers(r *http.Request, preference string) bool { //nolint:unparam // there are other preferences
	for element := range listElements(r.Header.Values("Prefer")) {
		token, _, _ := strings.Cut(element, ";")
		token, _, _ = strings.Cut(token, "=")
		if strings.EqualFold(strings.TrimSpace(token), preference) {
			return true
		}
	}
	return false
}

// listElements yields the elements of a comma-separated header (RFC 9110 §5.6.1). A
// comma in a quoted string is not a separator.
func listElements(values []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, value := range values {
			quoted, start := false, 0
			for i := 0; i <= len(value); i++ {
				switch {
				case i == len(value) || (value[i] == ',' && !quoted):
					if element := strings.TrimSpace(value[start:i]); element != "" && !yield(element) {
						return
					}
					start = i + 1
				case value[i] == '"':
					quoted = !quoted
				case value[i] == '\\' && quoted && i+1 < len(value):
					i++
				}
			}
		}
	}
}

package davclient

import (
	"fmt"
	"net/url"
	"strings"
)

// relatives finds the names of listed resources relative to the requested one.
type relatives struct {
	base  []string // the segments of the requested path
	first bool     // of has not been called yet
}

func relativeTo(escapedPath string) *relatives {
	base, _ := segments(escapedPath)
	return &relatives{base: base, first: true}
}

// of returns the name of href relative to the base. It fails if href is outside the
// base. The server may spell the base differently from the request, so the first
// href of the same length replaces the base.
func (r *relatives) of(href string) (string, error) {
	u, err := url.Parse(href)
	if err != nil {
		return "", fmt.Errorf("the server listed %.200q, which is not a URL reference", href)
	}
	path, ok := segments(u.EscapedPath())
	if ok && r.first && len(path) == len(r.base) {
		r.base = path
	}
	r.first = false
	if !ok || len(path) < len(r.base) {
		return "", fmt.Errorf("the server listed %.200q, which is outside the collection", href)
	}
	for i, segment := range r.base {
		if path[i] != segment {
			return "", fmt.Errorf("the server listed %.200q, which is outside the collection", href)
		}
	}
	return strings.Join(path[len(r.base):], "/"), nil
}

// segments splits an escaped path into unescaped names. It reports false for a bad
// escape, and for a dot segment, which could lead outside the base.
func segments(escapedPath string) ([]string, bool) {
	var names []string
	for segment := range strings.SplitSeq(escapedPath, "/") {
		name, err := url.PathUnescape(segment)
		if err != nil || name == "." || name == ".." {
			return nil, false
		}
		if name != "" {
			names = append(names, strings.ReplaceAll(name, "/", "%2F"))
		}
	}
	return names, true
}

package davclient

import (
	"fmt"
	"net/url"
	"strings"
)

// relatives finds the names of what is listed.
type relatives struct {
	base  []string // the segments of what was asked for
	first bool     // none has been named yet
}

func relativeTo(escapedPath string) *relatives {
	base, _ := segments(escapedPath)
	return &relatives{base: base, first: true}
}

// of returns the name of href from the base: never one that leads elsewhere.
// The server may spell the base in another way than the request did, and shows
// how in the first response.
func (r *relatives) of(href string) (string, error) {
	u, err := url.Parse(href)
	if err != nil {
		return "", fmt.Errorf("it lists %.200q, which is not a reference", href)
	}
	path, ok := segments(u.EscapedPath())
	if ok && r.first && len(path) == len(r.base) {
		r.base = path
	}
	r.first = false
	if !ok || len(path) < len(r.base) {
		return "", fmt.Errorf("it lists %.200q, which is elsewhere", href)
	}
	for i, segment := range r.base {
		if path[i] != segment {
			return "", fmt.Errorf("it lists %.200q, which is elsewhere", href)
		}
	}
	return strings.Join(path[len(r.base):], "/"), nil
}

// segments splits an escaped path into names. It reports false where one is a
// dot segment, which leads elsewhere.
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

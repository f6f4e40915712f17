package client

import (
	"net/url"
	"path/filepath"
	"strings"
)

// into returns where something goes that has the name of src: dst itself, or in
// dst if that ends in a slash. Both are escaped paths of URLs.
func into(src, dst string) string {
	if !strings.HasSuffix(dst, "/") {
		return dst
	}
	return dst + lastSegment(src)
}

// intoDir is into for the path dst of this machine. "." and ".." are
// directories, too, and "" is the current one.
func intoDir(name, dst string) string {
	base := filepath.Base(dst)
	if dst == "" || base == "." || base == ".." || strings.HasSuffix(filepath.ToSlash(dst), "/") {
		return filepath.Join(dst, name)
	}
	return dst
}

// lastSegment returns the last segment of an escaped path, escaped.
func lastSegment(escapedPath string) string {
	trimmed := strings.TrimRight(escapedPath, "/")
	return trimmed[strings.LastIndexByte(trimmed, '/')+1:]
}

// lastName is the lastSegment as a name of this machine. It reports false for one
// that can't be, or would lead elsewhere.
func lastName(escapedPath string) (string, bool) {
	name, err := url.PathUnescape(lastSegment(escapedPath))
	return name, err == nil && localName(name)
}

// localName reports whether name is that of one file in one directory.
func localName(name string) bool {
	return name != "." && filepath.IsLocal(name) && !strings.ContainsAny(name, "/\x00"+string(filepath.Separator))
}

// asCollection is an escaped path with a slash at its end.
func asCollection(escapedPath string) string { return strings.TrimRight(escapedPath, "/") + "/" }

// childRef returns the reference of the member href of the collection parent. It
// takes the name alone of href: in front of a proxy the rest may be another.
func childRef(parent, href string) (ref string, ok bool) {
	u, err := url.Parse(href)
	if err != nil {
		return "", false
	}
	return asCollection(parent) + lastSegment(u.EscapedPath()), true
}

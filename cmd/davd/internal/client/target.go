package client

import (
	"net/url"
	"path/filepath"
	"strings"
)

// into returns the destination for a resource that has the name of src. It is dst, or a
// member of dst if dst ends with a slash. Both are escaped URL paths.
func into(src, dst string) string {
	if !strings.HasSuffix(dst, "/") {
		return dst
	}
	return dst + lastSegment(src)
}

// intoDir is into for a local path dst. "." and ".." also count as directories, and "" is the
// current one.
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

// lastName returns the last segment as a local file name. It reports false if it is not a
// valid local name, or would lead to another directory.
func lastName(escapedPath string) (string, bool) {
	name, err := url.PathUnescape(lastSegment(escapedPath))
	return name, err == nil && localName(name)
}

// localName reports whether name is a plain file name, without a directory.
func localName(name string) bool {
	return name != "." && filepath.IsLocal(name) && !strings.ContainsAny(name, "/\x00"+string(filepath.Separator))
}

// asCollection returns an escaped path with one slash at its end.
func asCollection(escapedPath string) string { return strings.TrimRight(escapedPath, "/") + "/" }

// childRef returns the escaped path of a member of the collection parent. It only uses the
// last segment of href, because behind a proxy the server may use other paths.
func childRef(parent, href string) (ref string, ok bool) {
	u, err := url.Parse(href)
	if err != nil {
		return "", false
	}
	return asCollection(parent) + lastSegment(u.EscapedPath()), true
}

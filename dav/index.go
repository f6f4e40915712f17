package dav

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/compress"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/status"
)

//go:embed index.css
var indexStyle string

// indexPolicy is the page's Content-Security-Policy. It allows the page's own style and
// nothing else.
var indexPolicy = func() string {
	sum := sha256.Sum256([]byte(indexStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// setIndexPolicy sets the headers of an index that a 304 has too.
func setIndexPolicy(header http.Header, compression Compression) {
	header.Set("Content-Security-Policy", indexPolicy)
	browser.Isolate(header)
	if compression != CompressNever {
		compress.VaryEncoding(header)
	}
}

func setIndexHeaders(header http.Header, info fs.FileInfo) {
	header.Set("Content-Type", "text/html; charset=utf-8")
	setLastModified(header, info)
	// The page shows the members, which change without changing the collection's entity tag
	// and date.
	header.Set("Cache-Control", "no-store")
}

// index serves a page for people that lists the members of the collection name.
func (h *Handler) index(w http.ResponseWriter, r *request, name string, info fs.FileInfo) error {
	members := indexMembers{h: h, client: r.client()}
	defer members.release()
	if err := members.read(r.Context(), name); err != nil {
		unsetContent(w.Header())
		return err
	}
	name = h.shown(r.Context(), name)
	if v := h.view(r.Context()); v != nil && name == "/" {
		v.addTo(r.Context(), &members)
	}
	members.sort(r.URL.Query().Get("sort"))
	setIndexHeaders(w.Header(), info)
	compressor := h.compressor(w, r.Request)
	defer compressor.Release()
	if compressor != nil {
		w = compressor
	}
	timed, done := timedTo(w, r.Request, h.stallTimeout())
	defer done()
	out := bufio.NewWriterSize(timed, 32<<10)
	page := indexPage{name: name, base: indexBase(r)}
	buf := page.appendHead(nil)
	_, err := out.Write(buf)
	for i := 0; i < len(members.all) && err == nil; i++ {
		buf = page.appendMember(buf[:0], &members.all[i])
		_, err = out.Write(buf)
	}
	_, _ = out.Write(page.appendEnd(buf[:0], len(members.all), members.whole))
	err = out.Flush() // the first error of all
	if err == nil {
		err = compressor.Finish()
	}
	return status.Logged(err)
}

// indexBase returns the prefix of the page's relative references. They resolve to the
// members relative to the request URI, even if a proxy in front has changed the path:
// "./" for a URL that ends in "/c/", and "./c/" for one that ends in "/c".
func indexBase(r *request) string {
	requested := r.URL.EscapedPath()
	// A handler in front may have removed a prefix from r.URL.
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		requested = u.EscapedPath()
	}
	last := requested[strings.LastIndexByte(requested, '/')+1:]
	if last == "" {
		return "./"
	}
	unescaped, err := url.PathUnescape(last)
	if err != nil {
		return "./"
	}
	return "./" + string(davxml.AsText(field.AppendEscaped(nil, unescaped), 0)) + "/"
}

// indexPage writes the page of one collection. References are escaped as in a
// multi-status. Text is escaped as in XML, which HTML understands too.
//
// lftp reads the rows too, even when it uses PROPFIND. It expects Apache's columns: a
// name, a time and a size. It takes digits before a space or the end of the row for the
// exact size, stores only that many bytes of the file, and reports success. So each
// size begins with the exact number of bytes, which browsers hide if there is a shorter
// form.
type indexPage struct{ name, base string }

func (p indexPage) appendHead(dst []byte) []byte {
	dst = append(dst, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"+
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"...)
	dst = browser.AppendLabel(dst, p.name)
	dst = append(dst, "</title>\n<style>"+indexStyle+"</style>\n</head>\n<body>\n<h1><bdi>"...)
	dst = browser.AppendLabel(dst, p.name)
	dst = append(dst, "</bdi></h1>\n<table>\n<thead><tr><th scope=\"col\">Name</th>"+
		"<th scope=\"col\">Modified (UTC)</th><th scope=\"col\">Size</th></tr></thead>\n<tbody>\n"...)
	if p.name != "/" {
		parent := "../"
		if p.base != "./" {
			parent = "./"
		}
		dst = append(dst, `<tr><td><a href="`+parent+`">../</a></td><td></td><td></td></tr>`+"\n"...)
	}
	return dst
}

func (p indexPage) appendMember(dst []byte, m *indexMember) []byte {
	slash := ""
	if m.collection {
		slash = "/"
	}
	dst = append(dst, `<tr><td><a href="`...)
	dst = append(dst, p.base...)
	start := len(dst)
	dst = davxml.AsText(field.AppendEscaped(dst, m.name), start)
	dst = append(dst, slash+`"><bdi>`...)
	dst = browser.AppendLabel(dst, m.name)
	dst = append(dst, "</bdi>"+slash+"</a></td><td>"...)
	if m.described {
		dst = time.Unix(m.modified, 0).UTC().AppendFormat(dst, "2006-01-02 15:04")
	}
	dst = append(dst, "</td><td>"...)
	switch {
	case m.collection:
		dst = append(dst, '-')
	case m.described:
		if m.size >= 1000 { // the next line rounds it
			dst = append(strconv.AppendInt(append(dst, "<span>"...), m.size, 10), " </span>"...)
		}
		dst = browser.AppendSize(dst, m.size)
	}
	return append(dst, "</td></tr>\n"...)
}

func (p indexPage) appendEnd(dst []byte, shown int, whole bool) []byte {
	dst = append(dst, "</tbody>\n</table>\n"...)
	switch {
	case !whole:
		dst = append(dst, "<p>There may be more than these "+strconv.Itoa(shown)+" members: mount the share to see all.</p>\n"...)
	case shown == 0:
		dst = append(dst, "<p>There is nothing here yet.</p>\n"...)
	}
	return append(dst, "</body>\n</html>\n"...)
}

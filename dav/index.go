package dav

import (
	"bufio"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/compress"
	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/field"
	"github.com/davd/davd/dav/internal/index"
	"github.com/davd/davd/dav/internal/status"
)

// setIndexPolicy sets the headers of an index that a 304 has too.
func setIndexPolicy(header http.Header, compression Compression) {
	header.Set("Content-Security-Policy", index.PlainPolicy)
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

// indexMembers returns an empty list of members for an answer to r. limit is how many it may have, or
// zero. The caller must release it.
func (h *Handler) indexMembers(r *request, limit int) index.Members {
	return index.Members{FS: h.FileSystem, Counter: &h.kept().listings.indexed, Client: r.client(), Limit: limit}
}

// index serves a page for people that lists the members of the collection name.
func (h *Handler) index(w http.ResponseWriter, r *request, name string, info fs.FileInfo) error {
	members := h.indexMembers(r, 0)
	defer members.Release()
	if err := members.Read(r.Context(), name); err != nil {
		unsetContent(w.Header())
		return err
	}
	name = h.shown(r.Context(), name)
	if v := h.view(r.Context()); v != nil && name == "/" {
		v.addTo(r.Context(), &members)
	}
	members.Sort(r.URL.Query().Get("sort"))
	setIndexHeaders(w.Header(), info)
	compressor := h.compressor(w, r.Request)
	defer compressor.Release()
	if compressor != nil {
		w = compressor
	}
	timed, done := timedTo(w, r.Request, h.stallTimeout())
	defer done()
	out := bufio.NewWriterSize(timed, 32<<10)
	page := index.Plain{Name: name, Base: indexBase(r)}
	buf := page.AppendHead(nil)
	_, err := out.Write(buf)
	for i := 0; i < len(members.All) && err == nil; i++ {
		buf = page.AppendMember(buf[:0], &members.All[i])
		_, err = out.Write(buf)
	}
	_, _ = out.Write(page.AppendEnd(buf[:0], len(members.All), members.Whole))
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

package dav

import (
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/davd/davd/dav/internal/archive"
	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
)

// serveArchive streams members of a collection as a ZIP file: those that the query names, or all. It
// needs neither a temporary file nor memory for the members. A member that can't be read is
// named in the archive.
func (h *Handler) serveArchive(w http.ResponseWriter, r *request, info fs.FileInfo) error {
	unsetContent(w.Header())
	w.Header().Del("Content-Security-Policy")
	names := r.URL.Query()["name"]
	for _, name := range names {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
			return status.New(http.StatusBadRequest, "the query must name members of the collection")
		}
	}
	leave, err := r.enterStream()
	if err != nil {
		return err
	}
	defer leave()
	title := path.Base(h.shown(r.Context(), r.name))
	switch {
	case len(names) == 1:
		title = names[0]
	case title == "/":
		title = "files"
	}
	header := w.Header()
	header.Set("Content-Type", "application/zip")
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": browser.Label(title) + ".zip"}))
	header.Set("Cache-Control", "no-store")
	browser.Isolate(header)
	timed, done := timedTo(w, r.Request, h.stallTimeout())
	defer done()
	a := archive.New(r.Context(), timed, h.FileSystem, h.workers())
	if len(names) == 0 && !h.atViewedRoot(r) {
		err = a.AddTree(r.name, "", info)
	} else {
		err = h.archiveSelection(a, r, names)
	}
	return status.Logged(a.Finish(err))
}

// atViewedRoot reports whether r is about the URL path / of a View, where members of several trees
// are shown.
func (h *Handler) atViewedRoot(r *request) bool {
	return h.view(r.Context()) != nil && h.shown(r.Context(), r.name) == "/"
}

// archiveSelection adds members of the collection by their names, or all members if names is empty.
func (h *Handler) archiveSelection(a *archive.Writer, r *request, names []string) error {
	if len(names) == 0 {
		members := h.indexMembers(r, 0)
		defer members.Release()
		if err := members.Read(r.Context(), r.name); err != nil {
			return a.Fail("/", err)
		}
		h.view(r.Context()).addTo(r.Context(), &members)
		for i := range members.All {
			names = append(names, members.All[i].Name)
		}
	}
	for _, name := range names {
		at, err := h.resource(r.Context(), strings.TrimSuffix(r.URL.Path, "/")+"/"+name)
		var info fs.FileInfo
		if err == nil && storage.Reserved(at) {
			err = fs.ErrNotExist
		}
		if err == nil {
			info, err = h.FileSystem.Stat(r.Context(), at)
		}
		if err != nil {
			err = a.Fail(name, err)
		} else {
			err = a.AddTree(at, name, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

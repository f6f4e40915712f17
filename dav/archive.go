package dav

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

const (
	// archiveErrors is the member of an archive that names the files which are missing in it.
	archiveErrors = "davd-errors.txt"
	// maxArchiveErrors is how many it names.
	maxArchiveErrors = 1000
)

// archive streams members of a collection as a ZIP file: those that the query names, or all. It
// needs neither a temporary file nor memory for the members. A member that can't be read is
// named in archiveErrors.
func (h *Handler) archive(w http.ResponseWriter, r *request, info fs.FileInfo) error {
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
	a := &archiver{h: h, ctx: r.Context(), zip: zip.NewWriter(timed)}
	if len(names) == 0 && !h.atViewedRoot(r) {
		err = a.tree(r.name, "", info)
	} else {
		err = a.selection(r, names)
	}
	return status.Logged(a.finish(err))
}

// atViewedRoot reports whether r is about the URL path / of a View, where members of several trees
// are shown.
func (h *Handler) atViewedRoot(r *request) bool {
	return h.view(r.Context()) != nil && h.shown(r.Context(), r.name) == "/"
}

// archiver writes one archive.
type archiver struct {
	h   *Handler
	ctx context.Context //nolint:containedctx // that of the request, which the archiver belongs to
	zip *zip.Writer
	// failed names members that could not be read, further ones were left out.
	failed  []string
	further int
}

// archiveError is an error of the connection, after which nothing can be written.
type archiveError struct{ error }

// selection adds members of the collection by their names, or all members if names is empty.
func (a *archiver) selection(r *request, names []string) error {
	if len(names) == 0 {
		members := indexMembers{h: a.h, client: r.client()}
		defer members.release()
		if err := members.read(a.ctx, r.name); err != nil {
			return a.fail("/", err)
		}
		a.h.view(a.ctx).addTo(a.ctx, &members)
		for i := range members.all {
			names = append(names, members.all[i].name)
		}
	}
	for _, name := range names {
		at, err := a.h.resource(a.ctx, strings.TrimSuffix(r.URL.Path, "/")+"/"+name)
		var info fs.FileInfo
		if err == nil && storage.Reserved(at) {
			err = fs.ErrNotExist
		}
		if err == nil {
			info, err = a.h.FileSystem.Stat(a.ctx, at)
		}
		if err != nil {
			err = a.fail(name, err)
		} else {
			err = a.tree(at, name, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tree adds what info describes, with everything below. at is its name in the archive, or "" for
// none. Links lead to what a GET finds there; a link to a collection that contains it is an empty
// collection in the archive. The error is an archiveError.
func (a *archiver) tree(root, at string, info fs.FileInfo) error {
	walk := tree.Walk{FS: a.h.FileSystem, Root: root, Info: info, Depth: tree.Infinite, Shown: true, Workers: a.h.workers()}
	walk.Prepare = func(_ context.Context, members []tree.Member) func() error {
		return func() error {
			for i := range members {
				name := path.Join(at, strings.TrimPrefix(strings.TrimPrefix(members[i].Name, root), "/"))
				if err := a.member(&members[i], name); err != nil {
					return err
				}
			}
			return nil
		}
	}
	if err := walk.Run(a.ctx); err != nil {
		return archiveError{err}
	}
	return nil
}

// member adds a file or collection.
func (a *archiver) member(m *tree.Member, at string) error {
	if err := context.Cause(a.ctx); err != nil {
		return archiveError{err}
	}
	if m.Err == nil && !m.Info.IsDir() {
		return a.file(m.Name, at)
	}
	if m.Info != nil && !m.Partial && at != "" {
		if _, err := a.zip.CreateHeader(&zip.FileHeader{Name: at + "/", Modified: m.Info.ModTime()}); err != nil {
			return archiveError{err}
		}
	}
	if m.Err != nil {
		return a.fail(cmp.Or(at, "/"), m.Err)
	}
	return nil
}

func (a *archiver) file(name, at string) error {
	f, info, err := storage.OpenRead(a.ctx, a.h.FileSystem, name)
	if err != nil {
		return a.fail(at, err)
	}
	defer f.Close()
	// Most large files are compressed already.
	to, err := a.zip.CreateHeader(&zip.FileHeader{Name: at, Method: zip.Store, Modified: info.ModTime()})
	if err != nil {
		return archiveError{err}
	}
	from := &readError{Reader: f}
	if _, err := io.Copy(to, from); err != nil && from.err == nil {
		return archiveError{err}
	}
	if from.err != nil {
		return a.fail(at+" (incomplete)", from.err)
	}
	return nil
}

// readError keeps the error of a Reader.
type readError struct {
	io.Reader
	err error
}

// Read implements io.Reader.
func (r *readError) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// fail notes that the archive lacks a member. It returns an error if the request has ended.
func (a *archiver) fail(at string, err error) error {
	if cause := context.Cause(a.ctx); cause != nil {
		return archiveError{cause}
	}
	if len(a.failed) == maxArchiveErrors {
		a.further++
		return nil
	}
	code := status.Of(err)
	reason := http.StatusText(code)
	if code == http.StatusInternalServerError {
		reason = "can't be read"
	}
	a.failed = append(a.failed, fmt.Sprintf("%s: %s\n", browser.Label(at), reason))
	return nil
}

// finish completes the archive.
func (a *archiver) finish(err error) error {
	if err == nil && len(a.failed) > 0 {
		var to io.Writer
		if to, err = a.zip.Create(archiveErrors); err == nil {
			_, err = io.WriteString(to, "These members are missing in this archive:\n\n"+strings.Join(a.failed, ""))
		}
		if err == nil && a.further > 0 {
			_, err = fmt.Fprintf(to, "and %d more\n", a.further)
		}
	}
	if err != nil {
		return err // an archive without its end is recognized as incomplete
	}
	return a.zip.Close()
}

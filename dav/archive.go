package dav

import (
	"archive/zip"
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
)

const (
	// archiveErrors is the member of an archive that names the files which are missing in it.
	archiveErrors = "davd-errors.txt"
	// maxArchiveErrors is how many it names.
	maxArchiveErrors = 1000
	// maxArchiveDepth is how deep an archive follows collections.
	maxArchiveDepth = 256
)

// archive streams members of a collection as a ZIP file: those that the query names, or all. It
// needs neither a temporary file nor memory for the members. A member that can't be read is
// named in archiveErrors. Links to collections are not followed.
func (h *Handler) archive(w http.ResponseWriter, r *request) error {
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
		err = a.collection(r.name, "", 0)
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
			err = a.member(at, name, info, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// collection adds the members of a collection. at is its name in the archive. The error is an
// archiveError.
func (a *archiver) collection(name, at string, depth int) error {
	if depth > maxArchiveDepth {
		return a.fail(at, errors.New("too deep"))
	}
	listing, err := storage.ListShown(a.ctx, a.h.FileSystem, name)
	if err != nil {
		return a.fail(at, err)
	}
	defer listing.Close()
	var entries []storage.Entry
	for end := error(nil); end == nil; {
		var found storage.Members
		found, end = listing.Next(a.ctx)
		if end != nil && !errors.Is(end, io.EOF) {
			return a.fail(at, end)
		}
		for from := 0; found != nil && from < found.Len(); from += indexDescribed {
			entries = found.Describe(a.ctx, from, min(from+indexDescribed, found.Len()), entries[:0])
			for i := range entries {
				if err := a.entry(name, at, &entries[i], depth); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// entry adds an entry of a listing.
func (a *archiver) entry(collection, at string, entry *storage.Entry, depth int) error {
	name, in := path.Join(collection, entry.Name), path.Join(at, entry.Name)
	info, err := entry.Info, entry.Err
	switch {
	case storage.Reserved(entry.Name):
		return nil
	case err == nil && info.Mode()&fs.ModeSymlink != 0:
		if info, err = a.h.FileSystem.Stat(a.ctx, name); err == nil && info.IsDir() {
			err = errors.New("a link to a folder")
		}
	}
	if err != nil {
		return a.fail(in, err)
	}
	return a.member(name, in, info, depth)
}

// member adds a file, or a collection with its members.
func (a *archiver) member(name, at string, info fs.FileInfo, depth int) error {
	if err := context.Cause(a.ctx); err != nil {
		return archiveError{err}
	}
	switch {
	case info.IsDir():
		if _, err := a.zip.CreateHeader(&zip.FileHeader{Name: at + "/", Modified: info.ModTime()}); err != nil {
			return archiveError{err}
		}
		return a.collection(name, at, depth+1)
	case !info.Mode().IsRegular():
		return nil
	}
	return a.file(name, at)
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

// Package archive writes trees as a ZIP file while it reads them. It needs neither a temporary file nor
// memory for the members.
package archive

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

const (
	// errorsName is the member of an archive that names the files which are missing in it.
	errorsName = "davd-errors.txt"
	// maxErrors is how many it names.
	maxErrors = 1000
)

// Writer writes one archive.
type Writer struct {
	ctx     context.Context //nolint:containedctx // that of the request, which the Writer belongs to
	fsys    storage.FS
	workers *tree.Workers
	zip     *zip.Writer
	// failed names members that could not be read, further ones were left out.
	failed  []string
	further int
}

// New returns a Writer that writes files of fsys to w until ctx ends.
func New(ctx context.Context, w io.Writer, fsys storage.FS, workers *tree.Workers) *Writer {
	return &Writer{ctx: ctx, fsys: fsys, workers: workers, zip: zip.NewWriter(w)}
}

// AddTree adds what info describes, with everything below. at is its name in the archive, or "" for
// none. Links lead to what a GET finds there; a link to a collection that contains it is an empty
// collection in the archive. An error is one of the connection, after which nothing can be written.
func (a *Writer) AddTree(root, at string, info fs.FileInfo) error {
	walk := tree.Walk{FS: a.fsys, Root: root, Info: info, Depth: tree.Infinite, Shown: true, Workers: a.workers}
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
	return walk.Run(a.ctx)
}

// member adds a file or collection.
func (a *Writer) member(m *tree.Member, at string) error {
	if err := context.Cause(a.ctx); err != nil {
		return err
	}
	if m.Err == nil && !m.Info.IsDir() {
		return a.file(m.Name, at)
	}
	if m.Info != nil && !m.Partial && at != "" {
		if _, err := a.zip.CreateHeader(&zip.FileHeader{Name: at + "/", Modified: m.Info.ModTime()}); err != nil {
			return err
		}
	}
	if m.Err != nil {
		return a.Fail(cmp.Or(at, "/"), m.Err)
	}
	return nil
}

func (a *Writer) file(name, at string) error {
	f, info, err := storage.OpenRead(a.ctx, a.fsys, name)
	if err != nil {
		return a.Fail(at, err)
	}
	defer f.Close()
	// Most large files are compressed already.
	to, err := a.zip.CreateHeader(&zip.FileHeader{Name: at, Method: zip.Store, Modified: info.ModTime()})
	if err != nil {
		return err
	}
	from := &readError{Reader: f}
	if _, err := io.Copy(to, from); err != nil && from.err == nil {
		return err
	}
	if from.err != nil {
		return a.Fail(at+" (incomplete)", from.err)
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

// Fail notes that the archive lacks a member. It returns an error if the request has ended.
func (a *Writer) Fail(at string, err error) error {
	if cause := context.Cause(a.ctx); cause != nil {
		return cause
	}
	if len(a.failed) == maxErrors {
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

// Finish completes the archive, unless err is not nil. Then the archive has no end, by which it is
// recognized as incomplete.
func (a *Writer) Finish(err error) error {
	if err == nil && len(a.failed) > 0 {
		var to io.Writer
		if to, err = a.zip.Create(errorsName); err == nil {
			_, err = io.WriteString(to, "These members are missing in this archive:\n\n"+strings.Join(a.failed, ""))
		}
		if err == nil && a.further > 0 {
			_, err = fmt.Fprintf(to, "and %d more\n", a.further)
		}
	}
	if err != nil {
		return err
	}
	return a.zip.Close()
}

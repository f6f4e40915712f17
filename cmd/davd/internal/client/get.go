package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/davd/davd/cmd/davd/internal/client/meter"
	"github.com/davd/davd/dav/davclient"
)

// FetchOptions are those of Get and Put.
type FetchOptions struct {
	// Recursive takes a collection or directory, with all that is in it.
	Recursive bool
	// Force lets what is there be replaced, file by file.
	Force bool
}

// download is one call of Get.
type download struct {
	session *Session
	options FetchOptions
	// root is the directory that nothing is written outside of.
	root  *os.Root
	state meter.State
	// failed counts the members that were named on Session.Err.
	failed int
}

// Get fetches the file src to the path dst, or to Session.Out if that is "-". A
// file appears whole or not at all, with the time that it has on the server.
func (s *Session) Get(ctx context.Context, src *url.URL, dst string, o FetchOptions) error {
	path := src.EscapedPath()
	what := "get " + shownPath(path)
	found, err := s.Client.Stat(s.watched(ctx), path)
	switch {
	case noWebDAV(err): // and has files all the same
	case err != nil:
		return s.Failed(what, err)
	case found.Collection && !o.Recursive:
		return fmt.Errorf("%s: it is a collection: -r gets it with all that is in it", what)
	case found.Collection && dst == "-":
		return fmt.Errorf("%s: a collection can't be written to standard output", what)
	}
	if dst == "-" {
		return s.Failed(what, s.print(ctx, path))
	}
	name, ok := lastName(path)
	target := intoDir(name, dst)
	if !ok && target != dst {
		return fmt.Errorf("%s: it has no name that can be used here: write one", what)
	}
	root, err := os.OpenRoot(filepath.Dir(target))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer root.Close()
	d := &download{session: s, options: o, root: root, state: meter.State{Total: meter.Unknown, TotalBytes: found.Size, Final: true}}
	if found.Collection {
		d.state.TotalBytes = meter.Unknown
		err = d.tree(ctx, path, filepath.Base(target), 1)
	} else {
		err = d.file(ctx, path, filepath.Base(target))
	}
	if err != nil || d.failed == 0 {
		return s.Failed(what, err)
	}
	s.Meter.Clear()
	return &PartialError{What: what, Failed: d.failed}
}

// noWebDAV reports whether err is that of a resource that can't be listed.
func noWebDAV(err error) bool {
	return status(err) == http.StatusMethodNotAllowed || status(err) == http.StatusNotImplemented
}

// print writes the content of the escaped path to Out.
func (s *Session) print(ctx context.Context, path string) error {
	content, err := s.Client.Get(ctx, path, davclient.Conditions{})
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(s.Out, content)
	return err
}

// file fetches the file path to the name in root.
func (d *download) file(ctx context.Context, path, name string) error {
	if err := d.vacant(name); err != nil {
		return err
	}
	content, err := d.session.Client.Get(ctx, path, davclient.Conditions{})
	if err != nil {
		return err
	}
	defer content.Close()
	d.state.Member = shownPath(lastSegment(path))
	staged, err := stage(d.root, name)
	if err != nil {
		return err
	}
	defer staged.discard()
	counted := &counter{r: content, meter: d.session.Meter, state: &d.state}
	if _, err := io.Copy(staged.file, counted); err != nil {
		return err
	}
	if err := staged.place(content.Modified); err != nil {
		return err
	}
	d.state.Done++
	return nil
}

// vacant makes sure that a file may take the name.
func (d *download) vacant(name string) error {
	info, err := d.root.Lstat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return &memberError{name + " is a directory"}
	case !d.options.Force:
		return &memberError{name + " exists: -f replaces it"}
	}
	return nil
}

// counter counts what is read.
type counter struct {
	r     io.Reader
	meter *meter.Meter
	state *meter.State
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.state.Bytes += int64(n)
	c.meter.Show(*c.state)
	return n, err
}

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

// download is one call of Get.
type download struct {
	*Session

	// root is the directory to write in. Nothing is written outside of it.
	root  *os.Root
	state meter.State
}

// Get gets the file src and writes it to the path dst, or to Session.Out if dst is "-". A
// file only appears when it is complete. It has the modification time that it has on the
// server.
func (s *Session) Get(ctx context.Context, src *url.URL, dst string) error {
	path := src.EscapedPath()
	what := "get " + shownPath(path)
	found, err := s.Client.Stat(s.watched(ctx), path)
	switch {
	case noWebDAV(err): // GET may work nevertheless
	case err != nil:
		return s.Failed(what, err)
	case found.Collection && !s.Recursive:
		return fmt.Errorf("%s: it is a collection: use -r to get it with everything in it", what)
	case found.Collection && dst == "-":
		return fmt.Errorf("%s: can't write a collection to standard output", what)
	}
	if dst == "-" {
		return s.Failed(what, s.print(ctx, path))
	}
	name, ok := lastName(path)
	target := intoDir(name, dst)
	if !ok && target != dst {
		return fmt.Errorf("%s: its name can't be used on this machine: write another one as DST", what)
	}
	root, err := os.OpenRoot(filepath.Dir(target))
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer root.Close()
	d := &download{Session: s, root: root, state: meter.State{Total: meter.Unknown, TotalBytes: found.Size, Final: true}}
	if found.Collection {
		d.state.TotalBytes = meter.Unknown
		err = d.tree(ctx, path, filepath.Base(target), 1)
	} else {
		err = d.file(ctx, path, filepath.Base(target))
	}
	return s.ended(what, err)
}

// noWebDAV reports whether err means that the resource does not support PROPFIND.
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

// file gets the file at the escaped path and writes it to name in root.
func (d *download) file(ctx context.Context, path, name string) error {
	if err := d.vacant(name); err != nil {
		return err
	}
	content, err := d.Client.Get(ctx, path, davclient.Conditions{})
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
	counted := &counter{r: content, meter: d.Meter, state: &d.state}
	if _, err := io.Copy(staged.file, counted); err != nil {
		return err
	}
	if err := staged.place(content.Modified); err != nil {
		return err
	}
	d.state.Done++
	d.Meter.Show(d.state)
	return nil
}

// vacant returns an error if a file must not be written to name.
func (d *download) vacant(name string) error {
	info, err := d.root.Lstat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return &memberError{name + " is a directory"}
	case !d.Force:
		return &memberError{name + " exists: use -f to replace it"}
	}
	return nil
}

// counter counts the bytes that are read, and shows them.
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

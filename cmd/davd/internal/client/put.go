package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/client/meter"
	"github.com/davd/davd/dav/davclient"
)

// upload is one call of Put.
type upload struct {
	*Session

	state meter.State
}

// Put sends the file src, or the content of in if src is "-", to dst. It also sends the
// modification time of the file.
func (s *Session) Put(ctx context.Context, in io.Reader, src string, dst *url.URL) error {
	path := dst.EscapedPath()
	u := &upload{Session: s, state: meter.State{Total: meter.Unknown, TotalBytes: meter.Unknown, Final: true}}
	if src == "-" {
		what := "put to " + shownPath(path)
		if strings.HasSuffix(path, "/") {
			return fmt.Errorf("%s: standard input has no name: write one at the end of URL", what)
		}
		return s.Failed(what, u.send(ctx, path, in, davclient.PutOptions{}))
	}
	what := "put " + src
	absolute, err := filepath.Abs(src)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	path = into(url.PathEscape(filepath.Base(absolute)), path)
	file, err := os.Open(src)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
	case info.IsDir() && !s.Recursive:
		return fmt.Errorf("%s: it is a directory: use -r to put it with everything in it", what)
	case info.IsDir():
		err = u.directory(ctx, src, asCollection(path))
	default:
		u.state.TotalBytes = info.Size()
		err = u.file(ctx, file, path)
	}
	return s.ended(what, err)
}

// file sends an open file to the escaped path.
func (u *upload) file(ctx context.Context, file *os.File, path string) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &memberError{"it is not a regular file"}
	}
	u.state.Member = shownPath(lastSegment(path))
	var body io.Reader = http.NoBody
	if info.Size() > 0 {
		body = file
	}
	o := davclient.PutOptions{Size: info.Size(), Modified: info.ModTime()}
	if info.Size() >= worthResuming {
		return u.resumable(ctx, path, file, o)
	}
	return u.send(ctx, path, body, o)
}

// worthResuming is the length of a file, in bytes, from which an upload continues after a broken
// connection.
const worthResuming = 1 << 20

// resumable sends a file, and continues after the connection has broken.
func (u *upload) resumable(ctx context.Context, path string, file io.ReaderAt, o davclient.PutOptions) error {
	if !u.Force {
		o.IfNoneMatch = "*"
	}
	before := u.state.Bytes
	_, err := u.Client.Upload(ctx, path, file, davclient.UploadOptions{PutOptions: o, Progress: func(sent int64) {
		u.state.Bytes = before + sent
		u.Meter.Show(u.state)
	}})
	return u.sent(path, err)
}

func (u *upload) send(ctx context.Context, path string, body io.Reader, o davclient.PutOptions) error {
	if !u.Force {
		o.IfNoneMatch = "*"
	}
	if body != http.NoBody {
		body = &counter{r: body, meter: u.Meter, state: &u.state}
	}
	_, err := u.Client.Put(ctx, path, body, o)
	return u.sent(path, err)
}

// sent returns the error for the person after a file was sent to path, or not.
func (u *upload) sent(path string, err error) error {
	switch status(err) {
	case 0:
		u.state.Done++
		u.Meter.Show(u.state)
	case http.StatusPreconditionFailed:
		return &memberError{shownPath(path) + " exists: use -f to replace it"}
	case http.StatusMethodNotAllowed:
		return &memberError{shownPath(path) + " is a collection: add a slash at the end to put the file into it"}
	}
	return err
}

package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/davd/davd/cmd/davd/internal/client/meter"
	"github.com/davd/davd/dav/davclient"
)

// followed returns a context in which an operation is followed to its end, shown by
// the Meter, which may be nil.
func (s *Session) followed(ctx context.Context) context.Context {
	return davclient.WithFollow(ctx, davclient.Follow{Progress: s.show})
}

// show shows how far the server is.
func (s *Session) show(p davclient.Progress) {
	s.Meter.Show(meter.State{
		Done: p.Done, Total: p.Total, Bytes: p.Bytes, TotalBytes: p.TotalBytes, Final: p.Final,
		Member: shownPath(p.Member),
	})
}

// unfinished says what a person can do about an operation whose end is not known.
type unfinished struct{ err *davclient.UnfinishedError }

func (u *unfinished) Unwrap() error { return u.err }

func (u *unfinished) Error() string {
	text := "interrupted"
	if !errors.Is(u.err, context.Canceled) {
		text = reasonOf(u.err.Err)
	}
	if u.err.Location == "" {
		return text + "; the server may go on: look before you try again"
	}
	return fmt.Sprintf("%s; the server goes on: davd get %s - says how far it is, davd rm %[2]s stops it", text, u.err.Location)
}

// reasonOf says of an error of a request what a person needs to know.
func reasonOf(err error) string {
	if wrong, ok := errors.AsType[*davclient.Error](err); ok && wrong.Method != http.MethodGet {
		return (&reason{wrong}).Error()
	}
	err = plain(err)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection broke: " + err.Error()
	}
	return err.Error()
}

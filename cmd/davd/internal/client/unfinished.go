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

// followed returns a context where the client follows an operation to its end and the
// Meter, if any, shows its progress.
func (s *Session) followed(ctx context.Context) context.Context {
	return davclient.WithFollow(ctx, davclient.Follow{Progress: s.show})
}

// show makes the Meter show the server's progress.
func (s *Session) show(p davclient.Progress) {
	s.Meter.Show(meter.State{
		Done: p.Done, Total: p.Total, Bytes: p.Bytes, TotalBytes: p.TotalBytes, Final: p.Final,
		Member: shownPath(p.Member),
	})
}

// unfinished is the error for an operation whose end is unknown. It says what the person can
// do.
type unfinished struct{ err *davclient.UnfinishedError }

func (u *unfinished) Unwrap() error { return u.err }

func (u *unfinished) Error() string {
	text := "interrupted"
	if !errors.Is(u.err, context.Canceled) {
		text = reasonOf(u.err.Err)
	}
	if u.err.Location == "" {
		return text + "; the server may continue: check the result before you try again"
	}
	return fmt.Sprintf("%s; the server continues: see its progress with davd get %s -, or stop it with davd rm %[2]s", text, u.err.Location)
}

// reasonOf returns the text of a request's error for the person at the terminal.
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

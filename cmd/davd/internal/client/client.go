// Package client implements davd's client commands, which copy, move, remove, list, get and
// put resources on a WebDAV server.
package client

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/davd/davd/cmd/davd/internal/client/meter"
	"github.com/davd/davd/dav/davclient"
)

// Session is the work of one command with one server.
type Session struct {
	Client *davclient.Client
	// Out gets the output of the command, and Err a line for each failed member.
	Out, Err io.Writer
	// Meter shows the progress. It may be nil.
	Meter *meter.Meter
	// Colour makes List and Tree show collections in a colour.
	Colour bool
	Options
	// failed is the number of members that were written to Err.
	failed int
}

// Options are the options of the commands.
type Options struct {
	// Recursive allows Get, Put and Remove to work on a collection or directory, with
	// everything in it.
	Recursive bool
	// Force allows Get, Put, Copy and Move to replace what exists.
	Force bool
	// Long makes List and Tree show modification times, and sizes in bytes.
	Long bool
	// Human is like Long, but shows sizes with a unit.
	Human bool
	// JSON makes List write JSON.
	JSON bool
	// Levels is how many levels Tree shows; 0 means all.
	Levels int
}

// PartialError means that a command has failed for some members. These have been written to
// Session.Err.
type PartialError struct {
	What   string
	Failed int
}

func (e *PartialError) Error() string {
	if e.Failed == 1 {
		return e.What + ": 1 member failed"
	}
	return fmt.Sprintf("%s: %d members failed", e.What, e.Failed)
}

// watched returns a context that makes the Meter show interim responses. The client does not
// ask for any: a listing arrives in pieces anyway, and asking breaks some proxies.
func (s *Session) watched(ctx context.Context) context.Context {
	if s.Meter == nil {
		return ctx
	}
	return davclient.WithUnasked(ctx, func(i davclient.Interim) {
		if i.Status == http.StatusProcessing && i.HasProgress {
			s.show(i.Progress)
		}
	})
}

// Failed turns an error of the client into one for the person at the terminal. It writes the
// failed members of a multi-status to Session.Err. what is the command with its arguments.
func (s *Session) Failed(what string, err error) error {
	s.Meter.Clear()
	if err == nil {
		return nil
	}
	if open, ok := errors.AsType[*davclient.UnfinishedError](err); ok {
		return fmt.Errorf("%s: %w", what, &unfinished{open})
	}
	wrong, ok := errors.AsType[*davclient.Error](err)
	switch {
	case !ok:
		return fmt.Errorf("%s: %w", what, plain(err))
	case len(wrong.Members) == 0:
		return fmt.Errorf("%s: %w", what, &reason{wrong})
	}
	for _, member := range wrong.Members {
		s.memberFailed(member.Status, shownHref(member.Href))
	}
	return &PartialError{What: what, Failed: len(wrong.Members) + wrong.Unnamed}
}

// memberFailed writes a failed member to Session.Err.
func (s *Session) memberFailed(status int, name string) {
	s.failed++
	s.Meter.Clear()
	fmt.Fprintf(s.Err, "%s  %s\n", statusText(status), name)
}

// ended returns the error of a command that may have written failed members to Session.Err.
// err ended it early.
func (s *Session) ended(what string, err error) error {
	if err == nil && s.failed > 0 {
		s.Meter.Clear()
		return &PartialError{What: what, Failed: s.failed}
	}
	return s.Failed(what, err)
}

// reason is a *davclient.Error whose text omits the request, because the name of the command
// is enough.
type reason struct{ err *davclient.Error }

func (r *reason) Unwrap() error { return r.err }

func (r *reason) Error() string {
	text := statusText(r.err.Status)
	switch {
	case r.err.Text != "":
		text += ": " + r.err.Text
	case r.err.Condition != "":
		text += ": " + r.err.Condition
	}
	return text
}

// plain returns err without the request that net/http adds. For an untrusted certificate it
// adds what the person can do.
func plain(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return fmt.Errorf("%w: use --cacert FILE to trust it", err)
	}
	return err
}

// status returns the status of an unsuccessful response, or 0.
func status(err error) int {
	if wrong, ok := errors.AsType[*davclient.Error](err); ok {
		return wrong.Status
	}
	return 0
}

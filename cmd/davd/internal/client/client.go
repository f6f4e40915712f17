// Package client is what the commands of davd do on a server: copy, move,
// remove, list, fetch and send.
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

// Session is what one command has to do with one server.
type Session struct {
	Client *davclient.Client
	// Out is for what was asked for, Err for the members that failed.
	Out, Err io.Writer
	// Meter shows how far it is. It may be nil.
	Meter *meter.Meter
}

// PartialError is that of a command that has done a part of what it was asked
// for. What failed has been written to Session.Err.
type PartialError struct {
	What   string
	Failed int
}

// Error says how many have failed.
func (e *PartialError) Error() string {
	if e.Failed == 1 {
		return e.What + ": 1 member failed"
	}
	return fmt.Sprintf("%s: %d members failed", e.What, e.Failed)
}

// watched returns a context whose interim responses the Meter shows. None is asked
// for: a listing comes in pieces anyway, and to ask breaks some proxies.
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

// Failed writes the members of a multi-status, and says of an error what a
// person needs to know. what is the command with its arguments.
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
		fmt.Fprintf(s.Err, "%s  %s\n", statusText(member.Status), shownHref(member.Href))
	}
	return &PartialError{What: what, Failed: len(wrong.Members) + wrong.Unnamed}
}

// reason is a *davclient.Error without the request, which the command's name
// stands for.
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

// plain is err without the request that net/http names, and with what a person can
// do about it.
func plain(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return fmt.Errorf("%w: --cacert FILE trusts one", err)
	}
	return err
}

// status returns the status of a response that was not one of success, or 0.
func status(err error) int {
	if wrong, ok := errors.AsType[*davclient.Error](err); ok {
		return wrong.Status
	}
	return 0
}

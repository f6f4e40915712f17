package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/davd/davd/dav/davclient"
)

// Copy copies src to dst on the server, Move moves it. Without force nothing is
// replaced.
func (s *Session) Copy(ctx context.Context, src, dst *url.URL, force bool) error {
	return s.transfer(ctx, "copy", s.Client.Copy, src, dst, force)
}

// Move is like Copy.
func (s *Session) Move(ctx context.Context, src, dst *url.URL, force bool) error {
	return s.transfer(ctx, "move", s.Client.Move, src, dst, force)
}

type transferFunc func(ctx context.Context, src, dst string, o davclient.TransferOptions) (bool, error)

func (s *Session) transfer(ctx context.Context, verb string, transfer transferFunc, src, dst *url.URL, force bool) error {
	from, to := src.EscapedPath(), into(src.EscapedPath(), dst.EscapedPath())
	what := fmt.Sprintf("%s %s to %s", verb, shownPath(from), shownPath(to))
	_, err := transfer(s.watched(ctx), from, to, davclient.TransferOptions{Overwrite: force})
	switch status(err) {
	case http.StatusPreconditionFailed:
		err = fmt.Errorf("%s exists: -f replaces it, a collection as a whole", shownPath(to))
	case http.StatusConflict:
		err = fmt.Errorf("there is no collection to hold %s: davd mkdir makes one", shownPath(to))
	}
	return s.failed(what, err)
}

// Mkdir makes the collection ref.
func (s *Session) Mkdir(ctx context.Context, ref *url.URL) error {
	path := ref.EscapedPath()
	err := s.Client.Mkcol(ctx, asCollection(path))
	switch status(err) {
	case http.StatusMethodNotAllowed:
		err = errExists
	case http.StatusConflict:
		err = errNoParent
	}
	return s.failed("make "+shownPath(path), err)
}

// Remove removes ref. A collection, with all that is in it, is removed only if
// recursive.
func (s *Session) Remove(ctx context.Context, ref *url.URL, recursive bool) error {
	path := ref.EscapedPath()
	what := "remove " + shownPath(path)
	if !recursive {
		found, err := s.Client.Stat(ctx, path)
		if err != nil {
			return s.failed(what, err)
		}
		if found.Collection {
			return fmt.Errorf("%s: it is a collection: -r removes it with all that is in it", what)
		}
	}
	return s.failed(what, s.Client.Delete(s.watched(ctx), path))
}

var (
	errExists   = errors.New("it exists")
	errNoParent = errors.New("the collection that is to hold it does not exist")
)

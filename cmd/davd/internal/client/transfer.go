package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

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
	_, err := transfer(s.followed(ctx), from, to, davclient.TransferOptions{Overwrite: force})
	if wrong, ok := errors.AsType[*davclient.Error](err); ok && strings.Contains(wrong.Text, "names another server") {
		err = errors.New((&reason{wrong}).Error() + ": what stands in front of it does not tell it that it is asked for as " +
			s.Client.Base.Host + " (nginx: proxy_set_header Host $http_host; others: X-Forwarded-Host)")
	}
	switch status(err) {
	case http.StatusPreconditionFailed:
		err = fmt.Errorf("%s exists: -f replaces it, a collection as a whole", shownPath(to))
	case http.StatusConflict:
		err = fmt.Errorf("there is no collection to hold %s: davd mkdir makes one", shownPath(to))
	}
	return s.Failed(what, err)
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
	return s.Failed("make "+shownPath(path), err)
}

// Remove removes ref. A collection, with all that is in it, is removed only if
// recursive.
func (s *Session) Remove(ctx context.Context, ref *url.URL, recursive bool) error {
	path := ref.EscapedPath()
	what := "remove " + shownPath(path)
	if !recursive {
		found, err := s.Client.Stat(ctx, path)
		switch {
		case noWebDAV(err): // a status document, for example
		case err != nil:
			return s.Failed(what, err)
		case found.Collection:
			return fmt.Errorf("%s: it is a collection: -r removes it with all that is in it", what)
		}
	}
	return s.Failed(what, s.Client.Delete(s.followed(ctx), path))
}

var (
	errExists   = errors.New("it exists")
	errNoParent = errors.New("the collection that is to hold it does not exist")
)

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

// Copy copies src to dst on the server.
func (s *Session) Copy(ctx context.Context, src, dst *url.URL) error {
	return s.transfer(ctx, "copy", s.Client.Copy, src, dst)
}

// Move is like Copy, but moves src.
func (s *Session) Move(ctx context.Context, src, dst *url.URL) error {
	return s.transfer(ctx, "move", s.Client.Move, src, dst)
}

func (s *Session) transfer(ctx context.Context, verb string, transfer func(context.Context, string, string, davclient.TransferOptions) (bool, error), src, dst *url.URL) error {
	from, to := src.EscapedPath(), into(src.EscapedPath(), dst.EscapedPath())
	what := fmt.Sprintf("%s %s to %s", verb, shownPath(from), shownPath(to))
	_, err := transfer(s.followed(ctx), from, to, davclient.TransferOptions{Overwrite: s.Force})
	if wrong, ok := errors.AsType[*davclient.Error](err); ok && strings.Contains(wrong.Text, "names another server") {
		err = errors.New((&reason{wrong}).Error() + ": the proxy in front of it does not forward the host name " +
			s.Client.Base.Host + " (nginx: proxy_set_header Host $http_host; others: X-Forwarded-Host)")
	}
	switch status(err) {
	case http.StatusPreconditionFailed:
		err = fmt.Errorf("%s exists: use -f to replace it, including everything in a collection", shownPath(to))
	case http.StatusConflict:
		err = fmt.Errorf("the collection that should contain %s does not exist: create it with davd mkdir", shownPath(to))
	}
	return s.Failed(what, err)
}

// Mkdir creates the collection ref.
func (s *Session) Mkdir(ctx context.Context, ref *url.URL) error {
	path := ref.EscapedPath()
	err := s.Client.Mkcol(ctx, asCollection(path))
	switch status(err) {
	case http.StatusMethodNotAllowed:
		err = errors.New("it already exists")
	case http.StatusConflict:
		err = errors.New("the collection that should contain it does not exist")
	}
	return s.Failed("create "+shownPath(path), err)
}

// Remove removes ref.
func (s *Session) Remove(ctx context.Context, ref *url.URL) error {
	path := ref.EscapedPath()
	what := "remove " + shownPath(path)
	if !s.Recursive {
		found, err := s.Client.Stat(ctx, path)
		switch {
		case noWebDAV(err): // a status document, for example
		case err != nil:
			return s.Failed(what, err)
		case found.Collection:
			return fmt.Errorf("%s: it is a collection: use -r to remove it with everything in it", what)
		}
	}
	return s.Failed(what, s.Client.Delete(s.followed(ctx), path))
}

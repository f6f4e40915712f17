package davclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// The pause between two requests for a status document is a twentieth of the
	// operation's duration so far, within these limits.
	shortestPause = 200 * time.Millisecond
	longestPause  = 2 * time.Second
	// lookPatience limits one request for a status document.
	lookPatience = 30 * time.Second
	// silencePatience is how long these requests may go on failing: enough for a
	// server to restart.
	silencePatience = 2 * time.Minute
)

// follow polls the status document until the operation ends.
func (o *following) follow(ctx context.Context, document *url.URL) (status int, err error) {
	seen := time.Now()
	for {
		found, err := o.look(ctx, document)
		switch {
		case err == nil && found.Ended != nil:
			o.Progress(found.progress())
			return found.result(o.method, o.source.String())
		case err == nil:
			seen = time.Now()
			o.Progress(found.progress())
		case ctx.Err() != nil:
		case permanent(err):
			return 0, &UnfinishedError{Err: fmt.Errorf("can't read the operation's status document: %w", err)}
		case time.Since(seen) > silencePatience:
			return 0, &UnfinishedError{Location: document.String(), Err: err}
		}
		select {
		case <-time.After(min(max(time.Since(o.began)/20, shortestPause), longestPause)):
		case <-ctx.Done():
			return 0, &UnfinishedError{Location: document.String(), Err: ctx.Err()}
		}
	}
}

func (o *following) look(ctx context.Context, document *url.URL) (*statusDocument, error) {
	ctx, cancel := context.WithTimeout(unwatched(ctx), lookPatience)
	defer cancel()
	var found statusDocument
	if _, err := o.client.getJSON(ctx, document, &found); err != nil {
		return nil, err
	}
	if found.State == "" {
		return nil, fmt.Errorf("GET %s: %w", document, errNoDocument)
	}
	return &found, nil
}

// unwatched returns ctx without its listener for interim responses, for requests
// other than the operation's own.
func unwatched(ctx context.Context) context.Context {
	return context.WithValue(ctx, listenerKey{}, listener{})
}

// permanent reports whether another try would fail with err again.
func permanent(err error) bool {
	wrong, ok := errors.AsType[*Error](err)
	return ok && wrong.Status < http.StatusInternalServerError && wrong.Status != http.StatusTooManyRequests ||
		errors.Is(err, errNoDocument)
}

const (
	// operationsName is the collection that lists a user's operations. It
	// is in the root that davd serves.
	operationsName = ".davd-operations"
	// maxRoots limits how many collections above the source find searches. It
	// starts at the host's root.
	maxRoots = 4
	// clockSlack is how much earlier than the request an operation may seem to
	// start, because the header Date has only whole seconds.
	clockSlack = 2 * time.Second
)

// find looks for the operation in the server's list of this user's operations. It
// returns the URL of its status document, or nil.
func (o *following) find(ctx context.Context) *url.URL {
	root := o.client.Base.ResolveReference(&url.URL{Path: "/"})
	segments := strings.SplitAfter(strings.Trim(o.source.EscapedPath(), "/"), "/")
	for range min(len(segments), maxRoots) {
		if document, listed := o.findIn(ctx, root.JoinPath(operationsName, "/")); listed {
			return document
		}
		root, segments = root.JoinPath(segments[0]), segments[1:]
	}
	return nil
}

// findIn looks for the operation in the list at one URL. listed reports whether
// that URL has a list.
func (o *following) findIn(ctx context.Context, at *url.URL) (document *url.URL, listed bool) {
	ctx, cancel := context.WithTimeout(unwatched(ctx), lookPatience)
	defer cancel()
	var list struct{ Operations []statusDocument }
	date, err := o.client.getJSON(ctx, at, &list)
	if err != nil || list.Operations == nil {
		return nil, false
	}
	if date.IsZero() {
		date = time.Now()
	}
	earliest := date.Add(-time.Since(o.began) - clockSlack)
	for i := range list.Operations { // the most recent first
		d := &list.Operations[i]
		if d.Method == o.method && !d.Started.Before(earliest) && samePath(d.Source, o.source.String()) && samePath(d.Destination, o.destination) {
			if document, err = o.document(at, d.Links.Self); err == nil {
				return document, true
			}
		}
	}
	return nil, true
}

// samePath reports whether two references have the same path, apart from a final
// slash.
func samePath(a, b string) bool {
	first, errFirst := url.Parse(a)
	second, errSecond := url.Parse(b)
	return errFirst == nil && errSecond == nil && strings.TrimRight(first.Path, "/") == strings.TrimRight(second.Path, "/")
}

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
	// The pause between two looks at a status document: a twentieth of the time that
	// the operation has taken, within these.
	shortestPause = 200 * time.Millisecond
	longestPause  = 2 * time.Second
	// lookPatience is how long one look may take.
	lookPatience = 30 * time.Second
	// silencePatience is for how long none may succeed: as long as a server takes to
	// start again.
	silencePatience = 2 * time.Minute
)

// follow looks at the status document until the operation has ended.
func (o *following) follow(ctx context.Context, document *url.URL) (status int, err error) {
	seen := time.Now()
	for {
		found, err := o.look(ctx, document)
		switch {
		case err == nil && found.Ended != nil:
			return found.result(o.method, o.source.String())
		case err == nil:
			seen = time.Now()
			o.Progress(found.progress())
		case ctx.Err() != nil:
		case permanent(err):
			return 0, &UnfinishedError{Err: fmt.Errorf("its status document can't be read: %w", err)}
		case time.Since(seen) > silencePatience:
			return 0, &UnfinishedError{Location: document.String(), Err: err}
		}
		timer := time.NewTimer(min(max(time.Since(o.began)/20, shortestPause), longestPause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return 0, &UnfinishedError{Location: document.String(), Err: ctx.Err()}
		}
	}
}

// look reads the status document once.
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

// unwatched is ctx for a request that is not the operation's.
func unwatched(ctx context.Context) context.Context {
	return context.WithValue(ctx, listenerKey{}, listener{})
}

// permanent reports whether the next look would fail as this one.
func permanent(err error) bool {
	wrong, ok := errors.AsType[*Error](err)
	return ok && wrong.Status < http.StatusInternalServerError && wrong.Status != http.StatusTooManyRequests ||
		errors.Is(err, errNoDocument)
}

const (
	// operationsName is that of the collection in which a davd lists the operations
	// of a user. It is in the root of what it serves.
	operationsName = ".davd-operations"
	// maxRoots is in how many collections above the source it is looked for.
	maxRoots = 4
	// clockSlack is how much earlier than the request an operation may have begun, by
	// the clock of a server that tells the time in seconds.
	clockSlack = 2 * time.Second
)

// find looks for the operation among those that the server lists for this user, and
// returns its status document, or nil.
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

// findIn looks in one list. It reports whether it is one.
func (o *following) findIn(ctx context.Context, at *url.URL) (document *url.URL, listed bool) {
	ctx, cancel := context.WithTimeout(unwatched(ctx), lookPatience)
	defer cancel()
	var list operationList
	date, err := o.client.getJSON(ctx, at, &list)
	if err != nil || list.Operations == nil {
		return nil, false
	}
	if date.IsZero() {
		date = time.Now()
	}
	earliest := date.Add(-time.Since(o.began) - clockSlack)
	for i := range list.Operations { // the last begun first
		d := &list.Operations[i]
		if d.Method == o.method && !d.Started.Before(earliest) && samePath(d.Source, o.source.String()) && samePath(d.Destination, o.destination) {
			if document, err = o.document(at, d.Links.Self); err == nil {
				return document, true
			}
		}
	}
	return nil, true
}

// samePath reports whether two references lead to one path, with a slash at its end
// or without.
func samePath(a, b string) bool {
	first, errFirst := url.Parse(a)
	second, errSecond := url.Parse(b)
	return errFirst == nil && errSecond == nil && strings.TrimRight(first.Path, "/") == strings.TrimRight(second.Path, "/")
}

package dav

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/locktable"
	"github.com/davd/davd/dav/internal/place"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// respondError writes err as the response: a multi-status that names the members that
// failed (RFC 4918 §9.6.1, §9.8.3, §9.9.2), or a plain error.
func (h *Handler) respondError(ctx context.Context, w http.ResponseWriter, err error) {
	err = halfClosed(err)
	if members, ok := errors.AsType[*locktable.MembersError](err); ok {
		h.respondLocked(ctx, w, members)
	} else if partial, ok := errors.AsType[*tree.PartialError](err); ok {
		h.respondPartial(ctx, w, partial)
	} else if found, ok := errors.AsType[*problem](err); ok {
		found.respond(w)
	} else {
		davxml.Respond(w, status.Of(err), status.WithCondition(err))
	}
}

// halfClosed returns err with a reason for a client that reads on after it has closed its sending side.
// net/http can't tell it from one that has gone, and cancels the context of its request.
func halfClosed(err error) error {
	if errors.Is(err, context.Canceled) && status.Reason(err) == "" {
		return errHalfClosed
	}
	return err
}

var errHalfClosed = status.New(http.StatusServiceUnavailable, "the client has closed its sending side, which stops a request that has not been answered")

func (h *Handler) respondPartial(ctx context.Context, w http.ResponseWriter, partial *tree.PartialError) {
	note := ""
	if partial.Unnamed > 0 {
		note = fmt.Sprintf("%d more members failed", partial.Unnamed)
	}
	body, err := davxml.NewMultistatus(w)
	for _, failure := range partial.Failures {
		if err == nil {
			err = body.Failed(h.hrefOf(ctx, failure.Name), status.WithCondition(failure.Err))
		}
	}
	if err == nil {
		_ = body.Close(note) // fails only if the client has gone
	}
}

// respondLocked names the locked members that made the server refuse the request.
func (h *Handler) respondLocked(ctx context.Context, w http.ResponseWriter, locked *locktable.MembersError) {
	var failures []tree.Outcome
	for _, root := range locked.Roots {
		failures = append(failures, tree.Outcome{Name: root, Err: &status.Error{
			Status: http.StatusLocked, Condition: locked.Condition, Hrefs: []string{h.hrefOf(ctx, root)},
		}})
	}
	if locked.Dependent != "" {
		failures = append(failures, tree.Outcome{Name: locked.Dependent, Err: &status.Error{Status: http.StatusFailedDependency}})
	}
	h.respondPartial(ctx, w, &tree.PartialError{Failures: failures})
}

// succeed answers with a status without content of its own.
func succeed(w http.ResponseWriter, code int) error {
	davxml.Respond(w, code, nil)
	return nil
}

// askedNames returns err after replacing the names of its failures by the client's: a name in
// a place of the request begins with the name that the client used for the place.
func askedNames(err error, about ...place.Place) error {
	partial, ok := errors.AsType[*tree.PartialError](err)
	if !ok {
		return err
	}
	for i := range partial.Failures {
		name := &partial.Failures[i].Name
		in := slices.IndexFunc(about, func(p place.Place) bool { return p.Asked != p.Name && storage.Contains(p.Name, *name) })
		if in >= 0 {
			*name = path.Join(about[in].Asked, strings.TrimPrefix(*name, about[in].Name))
		}
	}
	return err
}

// failureOf returns err, marked as logged if it is no failure for the client. Two errors
// are none: a displaced resource that could not be removed, and properties and locks that
// the next start will move because the Journal has a record of them.
func (h *Handler) failureOf(err error) error {
	if _, partial := errors.AsType[*tree.PartialError](err); partial {
		return err
	}
	_, follow := errors.AsType[*tree.FollowError](err)
	_, leftover := errors.AsType[*tree.LeftoverError](err)
	if follow && h.journal() != nil || !follow && leftover {
		return status.Logged(err)
	}
	return err
}

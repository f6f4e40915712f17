package dav

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

const (
	// answerKept is how long an answer that could not be delivered is kept.
	answerKept = 2 * time.Minute
	// maxKeptAnswers is how many of them there are at a time, and
	// maxKeptAnswerFailures how many failed members one may name.
	maxKeptAnswers        = 1000
	maxKeptAnswerFailures = 100
)

// keptAnswer is the final answer to a COPY, MOVE or DELETE that none of the
// clients that waited for it has got: the connection of each had ended, or could
// not be written to. A client whose MOVE has lost its 201 asks again, and must
// not be told 404 then. So an identical request gets the kept answer, under all of
// these conditions:
//
//   - it is identical: the same tenant, principal, method, source, destination, Depth
//     and Overwrite, in whatever form they are sent, and the same conditions, byte for
//     byte (operationKey); without a principal, only if Handler.OnePerson;
//   - the answer is a 2xx, or a 207 with few failures: what a repetition might do
//     better is repeated;
//   - it came within answerKept of the failed delivery;
//   - since the operation ended, nobody was allowed to change or lock anything
//     that is, holds or is held by its source or destination;
//   - the storage does not say otherwise: after a 2xx the source of a MOVE or
//     DELETE is not there, and the destination of a COPY or MOVE is.
//
// Once delivered, or when a client has been answered 202 for the operation, it is
// forgotten. It is in memory alone: a restart forgets it.
type keptAnswer struct {
	key                 operationKey
	source, destination string
	scopes              []scope
	status              int
	err                 error

	// mu of the claims guards these. pending is how many are being answered with
	// it; while there are any, nobody else is.
	pending int
	expiry  *time.Timer
}

// newKeptAnswer returns the answer to op if it may be kept, or nil. pending
// clients are waiting for it.
func newKeptAnswer(op *operation, status int, err error, pending int) *keptAnswer {
	var partial *tree.PartialError
	switch {
	case op.key.method == "" || op.key.stranger != nil || status/100 != 2:
		return nil
	case errors.As(err, &partial) && (len(partial.Failures) > maxKeptAnswerFailures || partial.Unnamed > 0):
		return nil
	}
	return &keptAnswer{
		key: op.key, source: op.Source, destination: op.Destination, scopes: op.claim.hold.scopes,
		status: status, err: err, pending: pending,
	}
}

// releaseAnswered releases h and keeps a, if it is not nil, before anybody else
// can claim the same.
func (c *claims) releaseAnswered(h *hold, a *keptAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.releaseLocked(h)
	if a == nil {
		return
	}
	if c.answers == nil {
		c.answers = make(map[operationKey]*keptAnswer)
	}
	c.answers[a.key] = a
	if a.pending == 0 {
		c.offerLocked(a)
	}
}

// delivered ends one attempt to answer with a. It does nothing for nil.
func (c *claims) delivered(a *keptAnswer, ok bool) {
	if a == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a.pending--
	switch {
	case c.answers[a.key] != a: // something has changed since
	case ok:
		c.dropLocked(a)
	case a.pending == 0:
		c.offerLocked(a)
	}
}

// offerLocked lets an identical request take a, for a while.
func (c *claims) offerLocked(a *keptAnswer) {
	if len(c.answers) > maxKeptAnswers {
		c.dropLocked(a)
		return
	}
	a.expiry = time.AfterFunc(answerKept, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.answers[a.key] == a && a.pending == 0 {
			c.dropLocked(a)
		}
	})
}

// take returns the answer that is kept for key, if there is one. delivered is to
// be called.
func (c *claims) take(key *operationKey) *keptAnswer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.answers) == 0 {
		return nil
	}
	a := c.answers[*key]
	if a == nil || a.pending > 0 {
		return nil
	}
	a.expiry.Stop()
	a.pending++
	return a
}

// drop forgets a.
func (c *claims) drop(a *keptAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers[a.key] == a {
		c.dropLocked(a)
	}
}

func (c *claims) dropLocked(a *keptAnswer) {
	delete(c.answers, a.key)
	if a.expiry != nil {
		a.expiry.Stop()
	}
}

// dropAnswersLocked forgets the answers of which h is about to change something.
func (c *claims) dropAnswersLocked(h *hold) {
	for _, a := range c.answers {
		if a.key.tenant == h.tenant && slices.ContainsFunc(a.scopes, func(kept scope) bool {
			return slices.ContainsFunc(h.scopes, func(s scope) bool { return storage.Overlap(kept.name, s.name) })
		}) {
			c.dropLocked(a)
		}
	}
}

// answerKept answers with what is kept for key. It reports whether it has.
func (h *Handler) answerKept(w http.ResponseWriter, r *http.Request, key *operationKey) (bool, error) {
	a := h.shared().claims.take(key)
	if a == nil {
		return false, nil
	}
	// A client that goes now is no sign that it is not true.
	ctx := context.WithoutCancel(r.Context())
	if !h.stillTrue(ctx, a) {
		h.shared().claims.drop(a)
		return false, nil
	}
	res := newResponse(w, r)
	h.respondResult(ctx, res, a.status, a.err)
	err := res.finish()
	h.shared().claims.delivered(a, err == nil && r.Context().Err() == nil)
	return true, errors.Join(a.err, err)
}

// stillTrue reports whether the storage is as a says.
func (h *Handler) stillTrue(ctx context.Context, a *keptAnswer) bool {
	if a.status == http.StatusMultiStatus {
		return true
	}
	_, sourceErr := storage.Lstat(ctx, h.FileSystem, a.source)
	if a.key.method != "COPY" && !errors.Is(sourceErr, fs.ErrNotExist) {
		return false
	}
	if a.destination == "" {
		return true
	}
	_, err := storage.Lstat(ctx, h.FileSystem, a.destination)
	return err == nil
}

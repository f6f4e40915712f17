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
	// answerKept is how long an undelivered answer is kept.
	answerKept = 2 * time.Minute
	// maxKeptAnswers is how many answers are kept, and maxKeptAnswerFailures how many
	// failed members one of them may name.
	maxKeptAnswers        = 1000
	maxKeptAnswerFailures = 100
)

// keptAnswer is the final answer to a COPY, MOVE or DELETE that reached none of the
// waiting clients, because their connections had ended or could not be written to. A
// client whose MOVE has lost its 201 asks again, and must not get a 404 then. So an
// identical request gets the kept answer, if all of these conditions hold:
//
//   - The request is identical (operationKey): the same tenant, principal, method, source,
//     destination, Depth and Overwrite, in whatever form they are sent, and the same
//     conditions, byte for byte. Without a principal, Handler.OnePerson must be set.
//   - The answer is a 2xx, or a 207 with few failures. Any other request is carried out
//     again, because it may have a better result now.
//   - It comes within answerKept of the failed delivery.
//   - Since the operation ended, no request was allowed to change or lock the source or
//     destination, or anything that contains them or is in them.
//   - The storage agrees: after a 2xx, the source of a MOVE or DELETE doesn't exist, and
//     the destination of a COPY or MOVE does.
//
// The answer is forgotten when it is delivered, or when a client got a 202 for the
// operation. It is only kept in memory, so a restart forgets it.
type keptAnswer struct {
	key                 operationKey
	source, destination string
	scopes              []scope
	status              int
	err                 error

	// mu of claims guards these. pending is how many requests are being answered with this
	// answer. While there are any, no other request gets it.
	pending int
	expiry  *time.Timer
}

// newKeptAnswer returns the answer to op, or nil if that must not be kept. pending
// clients are waiting for it.
func newKeptAnswer(op *operation, pending int) *keptAnswer {
	status, err := op.status, op.err
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

// releaseAnswered releases h and keeps a, unless that is nil, in one step, so that no
// other request can claim the same resources in between.
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

// delivered ends an attempt to answer with a, which may be nil. ok: it succeeded.
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

// offerLocked makes a available to an identical request, for answerKept.
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

// take returns the answer kept for key, or nil. The caller must call delivered when it
// has sent the answer.
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

// dropAnswersLocked forgets the answers that a change by h may invalidate.
func (c *claims) dropAnswersLocked(h *hold) {
	for _, a := range c.answers {
		if a.key.tenant == h.tenant && slices.ContainsFunc(a.scopes, func(kept scope) bool {
			return slices.ContainsFunc(h.scopes, func(s scope) bool { return storage.Overlap(kept.name, s.name) })
		}) {
			c.dropLocked(a)
		}
	}
}

// answerKept answers with the answer that is kept for key. It reports whether there was
// one.
func (h *Handler) answerKept(w http.ResponseWriter, r *request, key *operationKey) (bool, error) {
	a := h.shared().claims.take(key)
	if a == nil {
		return false, nil
	}
	// The check must not fail only because the client disconnects now.
	ctx := context.WithoutCancel(r.Context())
	if !h.stillTrue(ctx, a) {
		h.shared().claims.drop(a)
		return false, nil
	}
	res := h.newResponse(w, r.Request)
	h.respondResult(ctx, res, a.status, a.err)
	err := res.Finish()
	h.shared().claims.delivered(a, err == nil && r.Context().Err() == nil)
	return true, errors.Join(a.err, err)
}

// stillTrue reports whether the storage agrees with a.
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

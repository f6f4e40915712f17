package operation

import (
	"slices"
	"time"

	"github.com/davd/davd/storage"
)

const (
	// answerKept is how long an undelivered answer is kept.
	answerKept = 2 * time.Minute
	// maxKeptAnswers is how many answers are kept.
	maxKeptAnswers = 1000
)

// keptAnswer is the final answer to a COPY, MOVE or DELETE that reached none of the
// waiting clients, because their connections had ended or could not be written to. A
// client whose MOVE has lost its 201 asks again, and must not get a 404 then. So an
// identical request gets the kept answer, if all of these conditions hold:
//
//   - The request is identical (Key): the same tenant, principal, method, source,
//     destination, Depth and Overwrite, in whatever form they are sent, and the same
//     conditions, byte for byte. A stranger never gets it.
//   - The answer is a 2xx that the Server keeps, such as a 207 with few failures. Any other request is carried out
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
	key                 Key
	source, destination string
	scopes              []Scope
	status              int
	err                 error

	// mu of claims guards these. pending is how many requests are being answered with this
	// answer. While there are any, no other request gets it.
	pending int
	expiry  *time.Timer
}

// releaseAnswered releases h and keeps a, unless that is nil, in one step, so that no
// other request can claim the same resources in between.
func (c *Claims) releaseAnswered(h *Hold, a *keptAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.releaseLocked(h)
	if a == nil {
		return
	}
	if c.answers == nil {
		c.answers = make(map[Key]*keptAnswer)
	}
	c.answers[a.key] = a
	if a.pending == 0 {
		c.offerLocked(a)
	}
}

// KeepAnswers reports whether any answers are kept.
func (c *Claims) KeepAnswers() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.answers) > 0
}

// delivered ends an attempt to answer with a, which may be nil. ok: it succeeded.
func (c *Claims) delivered(a *keptAnswer, ok bool) {
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
func (c *Claims) offerLocked(a *keptAnswer) {
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
func (c *Claims) take(key *Key) *keptAnswer {
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
func (c *Claims) drop(a *keptAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers[a.key] == a {
		c.dropLocked(a)
	}
}

func (c *Claims) dropLocked(a *keptAnswer) {
	delete(c.answers, a.key)
	if a.expiry != nil {
		a.expiry.Stop()
	}
}

// dropAnswersLocked forgets the answers that a change by h may invalidate.
func (c *Claims) dropAnswersLocked(h *Hold) {
	for _, a := range c.answers {
		if a.key.Tenant == h.Tenant && slices.ContainsFunc(a.scopes, func(kept Scope) bool {
			return slices.ContainsFunc(h.Scopes, func(s Scope) bool { return storage.Overlap(kept.Name, s.Name) })
		}) {
			c.dropLocked(a)
		}
	}
}

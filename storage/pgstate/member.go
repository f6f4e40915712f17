package pgstate

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
)

// membership is the time between joining the cluster and leaving it or being declared dead.
type membership struct {
	epoch string
	// context ends with the cause cluster.ErrFenced when the node was declared dead.
	context context.Context //nolint:containedctx // it is the life of the membership
	end     context.CancelCauseFunc
	// renewed is the begin of the last successful renewal, by uptime.
	renewed atomic.Int64
	// lost is signaled when a statement has found that the epoch doesn't exist any more.
	lost chan struct{}
	// adopted is signaled when there are works to settle.
	adopted chan struct{}

	mu sync.Mutex
	// users counts claims and running transactions. idle is signaled when it becomes 0.
	users int
	idle  chan struct{}
	// claims are the ones that still run.
	claims map[string]*claim
	// abandoned are works of this node that it could not end. It adopts them itself.
	abandoned []string
}

func newMembership(epoch string, renewed time.Duration) *membership {
	m := &membership{
		epoch: epoch, lost: make(chan struct{}, 1), adopted: make(chan struct{}, 1), idle: make(chan struct{}, 1),
		claims: make(map[string]*claim),
	}
	m.context, m.end = context.WithCancelCause(context.Background())
	m.renewed.Store(int64(renewed))
	return m
}

// signal wakes the receiver of c, which looks for itself what there is to do.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// lose ends the membership, because its epoch doesn't exist any more.
func (m *membership) lose() {
	m.end(cluster.ErrFenced)
	signal(m.lost)
}

// confirm returns cluster.ErrFenced, and ends the membership, unless its epoch exists.
func (m *membership) confirm(exists bool) error {
	if exists {
		return nil
	}
	m.lose()
	return cluster.ErrFenced
}

// enter counts a user.
func (m *membership) enter() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users++
}

func (m *membership) exit() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.users--; m.users == 0 {
		signal(m.idle)
	}
}

// during returns a context that also ends with the membership. stop must be called.
func (m *membership) during(ctx context.Context) (during context.Context, stop func()) {
	during, cancel := context.WithCancelCause(ctx)
	m.enter()
	forget := context.AfterFunc(m.context, func() { cancel(context.Cause(m.context)) })
	return during, func() {
		forget()
		cancel(nil)
		m.exit()
	}
}

// wait waits until nothing of the membership runs any more.
func (m *membership) wait(ctx context.Context) error {
	for {
		m.mu.Lock()
		users := m.users
		m.mu.Unlock()
		if users == 0 {
			return nil
		}
		select {
		case <-m.idle:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// usable returns why nothing can be changed under m at present, or nil.
func (db *DB) usable(m *membership) error {
	if err := context.Cause(m.context); err != nil {
		return err
	}
	if since := uptime() - time.Duration(m.renewed.Load()); since > db.Timing.Lease {
		return fmt.Errorf("%w: the database has not answered for %v", storage.ErrUnavailable, since.Round(time.Second))
	}
	return nil
}

// current returns the membership, or an error that matches storage.ErrUnavailable if this node
// can't change anything at present.
func (db *DB) current() (*membership, error) {
	m := db.member.Load()
	if m == nil {
		return nil, fmt.Errorf("%w: this server has not joined the others yet", storage.ErrUnavailable)
	}
	return m, db.usable(m)
}

// change makes a change under the current membership.
func (db *DB) change(ctx context.Context, c change) error {
	m, err := db.current()
	if err != nil {
		return err
	}
	return db.transact(ctx, m, c)
}

// figures count for Stats.
type figures struct {
	trips, errors, claims, refused, takeovers, lost atomic.Int64
}

// Cluster returns this process as a node.
func (db *DB) Cluster() cluster.Node { return (*node)(db) }

// node is a DB as a cluster.Node.
type node DB

func (n *node) db() *DB { return (*DB)(n) }

// Epoch implements [cluster.Node], like the methods below.
func (n *node) Epoch() string {
	if m := n.member.Load(); m != nil {
		return m.epoch
	}
	return ""
}

func (n *node) Operations() cluster.Operations { return (*operations)(n) }

func (n *node) Stats() cluster.Stats {
	s := cluster.Stats{
		Claims: n.figures.claims.Load(), Refused: n.figures.refused.Load(), Takeovers: n.figures.takeovers.Load(),
		Lost: n.figures.lost.Load(), Errors: n.figures.errors.Load(),
	}
	if m := n.member.Load(); m != nil {
		s.Member, s.Renewed = n.db().usable(m) == nil, uptime()-time.Duration(m.renewed.Load())
		m.mu.Lock()
		defer m.mu.Unlock()
		s.Held = len(m.claims)
	}
	return s
}

// Package cluster is the contract of a state that several processes share. Each process is a
// node. All nodes serve the same files.
//
// A node may change a name only under a claim, which no other node can make at the same time.
// While a node lives, its claims last until it ends them. If it dies, hangs or loses the
// database, another node takes over its claims, and finishes or undoes the changes that they
// stand for. From then on, the dead node can change nothing, however late it wakes up: its
// statements fail with [ErrFenced], and so do its renames, because package tree fences them.
//
// No method trusts a clock of another machine.
package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/history"
)

// Scope is a resource, optionally with a part of the tree below it.
type Scope struct {
	Name    string // a clean storage name, or the key of a place
	Tree    bool   // includes everything below Name
	Members bool   // includes the direct members of Name
}

// Work is a change that needs a claim.
type Work struct {
	Scopes []Scope
	// Record says how another node finishes or undoes the change. It is nil if the change is only
	// in the database, and while nothing in the storage has changed. SaveRecord of the journal,
	// with the ID of the claim, replaces it.
	Record []byte
	// Brief says that the whole change is made in the database, in the [Claim.Transaction]. Until
	// End, other nodes only wait for it. It takes a few statements, and has no Record.
	Brief bool
	// Late says that a Brief claim without an Operation may be made together with the first call
	// that uses its transaction, which then returns the errors of Claim. That saves a round trip.
	Late bool
	// Operation, if not nil, is the operation that the claim is for. It is listed on all nodes
	// from the moment of the claim.
	Operation *Operation
}

// Operation is an operation as other nodes see it.
type Operation struct {
	// Key is the same for identical requests; zero if no other request may join the operation.
	Key [32]byte
	// Record describes the operation. Its ID is that of the status document. Its Status is that
	// of the answer if the operation succeeds, although its State is history.Running: a node
	// that takes over needs it.
	Record history.Record
	// Arrived is when the request arrived. If an identical operation has ended since then, Claim
	// returns a [*RunningError] too, and the request gets that result: this one was repeated
	// meanwhile. It is zero if that doesn't matter.
	Arrived time.Time
}

// Result is the result of an operation.
type Result struct {
	Record history.Record
	// Keep makes [Operations.Find] find the result for two minutes, unless it is forgotten before
	// or a claim overlaps the names of the operation.
	Keep bool
	// Held says that clients wait for the answer on this node. While the node lives, the result is
	// not found before it is released: the clients get it from here.
	Held bool
}

// Claim is the right of this node to change the names of a [Work].
type Claim interface {
	// ID identifies the work. It is the ID of its record in the journal.
	ID() string
	// Context ends when the node was declared dead, with the cause [ErrFenced]. The change must
	// then stop, and the caller must call End. It has no values.
	Context() context.Context
	// Transaction begins the transaction that End will commit, unless it has begun. It returns ctx
	// with the transaction: whatever the State, and an FS that transacts with it
	// (storage.Transacts), read and change with that context belongs to it. Calls with the context
	// are made one after the other. The transaction lasts only seconds, and only work in memory may
	// be done meanwhile. If one of the calls fails after it has changed something, everything fails
	// from then on with [ErrUndone]. Without such a database, it returns ctx.
	Transaction(ctx context.Context) (context.Context, error)
	// Undo undoes what the transaction has changed. End then ends the claim without a change. A
	// request that fails must call it. The context may be used to read afterwards, but nothing may be
	// changed under the claim of a Brief work.
	Undo(ctx context.Context)
	// End ends the claim, after the change is complete or nothing of it is left. Nothing may be
	// changed under the claim any more. result is that of the operation; nil without one. It is
	// stored in the same transaction. The change counts when End returns nil. With
	// [ErrFenced], another node has taken over: the error is a [*TakenOverError] if that node has
	// already finished or undone the change. With [ErrUndone], nothing of the transaction was
	// committed, and never will be. The caller then undoes what it has done without the
	// transaction, and calls End again with the result of that. Other errors mean that the database
	// can't be reached: the result is unknown to other nodes. The caller calls End again with the same
	// result. It does so until End returns nil or ErrFenced; the node can't join again before.
	End(ctx context.Context, result *Result) error
}

// Node is this process in the cluster. All methods are safe for concurrent use.
type Node interface {
	// Claim claims all scopes together. If another node holds any of them, it waits for up to a
	// second. It returns [ErrClaimed] if a living node still holds one, [ErrSilent] if the holder has
	// not renewed its lease, a [*RunningError] if an identical operation is running on any node or
	// has ended since the request arrived, or
	// an error that matches storage.ErrUnavailable if this node can't change anything at present.
	Claim(ctx context.Context, w Work) (Claim, error)

	// Placing reports whether a change is under way that may hide name for a moment: a MOVE, or
	// the replacement of a collection. A resource that is missing meanwhile is not really gone.
	Placing(ctx context.Context, name string) (bool, error)

	// Operations returns the operations of all nodes.
	Operations() Operations

	// Epoch returns the name of the node's membership, which is part of the names of its stages.
	// It is "" before Run, and changes when the node joins again. It consists of at most 32
	// letters and digits.
	Epoch() string

	// Stats returns what an operator wants to know about the node.
	Stats() Stats

	// Run keeps the node alive until ctx ends. It calls settle with the works of a dead node,
	// whose claims this node now holds. settle fences each one, finishes or undoes it, and
	// settles it. Works that it has not settled are passed to it again, with a pause. When the
	// node itself was declared dead, Run ends the contexts of its claims with the cause [ErrFenced],
	// waits until End was called for each, and joins the cluster again.
	Run(ctx context.Context, settle func(ctx context.Context, works []Adopted)) error

	// Leave ends the node's membership. It must have no claims.
	Leave(ctx context.Context) error
}

// Adopted is the work of a dead node that this node has taken over.
type Adopted struct {
	ID     string
	Record []byte // may be nil: then only the claim has to end
	// Operation is the ID of its operation; "" without one.
	Operation string
	// Settle ends the work and its claim in one transaction, with the outcome that the dead node
	// will find if it wakes up. result is that of the operation; nil without one.
	Settle func(ctx context.Context, o Outcome, result *Result) error
}

// Outcome is how a work ended.
type Outcome string

const (
	// Finished says that the change was made.
	Finished Outcome = "finished"
	// Undone says that nothing was changed.
	Undone Outcome = "undone"
)

// Stats are the figures of a node. Those without a unit count since the start of the process.
type Stats struct {
	// Member says that the node can make changes at present.
	Member bool
	// Renewed is the time since the last successful renewal of the lease.
	Renewed time.Duration
	// Held is how many claims the node holds now.
	Held int
	// Claims is how many claims it was granted, and Refused how many it was not, because another
	// node held a name.
	Claims, Refused int64
	// Takeovers is how many dead nodes it has taken over from, Lost how often it was declared
	// dead itself.
	Takeovers, Lost int64
	// Errors is how many statements have failed because of the database.
	Errors int64
}

// Operations are the operations of all nodes. A node reads and writes those of others through the
// database. The history.Store of the State has the same records.
type Operations interface {
	// Load returns the operation id of any node. The error matches fs.ErrNotExist if there is none.
	// It asks the node that works on the operation to report its progress each second for the next ten seconds.
	Load(ctx context.Context, id string) (Status, error)
	// Running returns all operations whose State is history.Running, of all nodes.
	Running(ctx context.Context) ([]Status, error)
	// Find returns the operation of an identical request that is running or whose [Result] is
	// kept. The error matches fs.ErrNotExist if there is none.
	Find(ctx context.Context, key [32]byte) (Status, error)
	// Forget ends the keeping of a result, because a client has got it.
	Forget(ctx context.Context, id string) error
	// Release makes a result found that was held, because no client has got it.
	Release(ctx context.Context, id string) error
	// Report stores the progress of an operation of this node. It adds the operation if no claim
	// has added it, as for a PROPFIND, and has no effect on one that has ended. stop says that a request told some node to stop it; watched
	// says that other nodes are waiting for news.
	Report(ctx context.Context, r history.Record) (stop, watched bool, err error)
	// Stop asks the node that works on the operation to stop it.
	Stop(ctx context.Context, id string) error
}

// Status is an operation as the database has it.
type Status struct {
	Record history.Record
	// Node is the name of the node that works on it.
	Node string
	// Alive says that the node that works on it has renewed its lease, or that another node has
	// taken over its work and not settled it yet. If the State is history.Running and Alive is
	// false, nobody will end it.
	Alive bool
	// Stopping says that it was told to stop.
	Stopping bool
	// Age is the time since the last Report.
	Age time.Duration
}

var (
	// ErrFenced says that this node was declared dead. It matches storage.ErrUnavailable.
	ErrFenced = fmt.Errorf("%w: this server was out of touch with the others, and another one has taken over", storage.ErrUnavailable)
	// ErrUndone says that the transaction of a claim could not be committed, so nothing was changed. It
	// matches storage.ErrUnavailable: the request may be repeated.
	ErrUndone = fmt.Errorf("%w: the database has undone the change", storage.ErrUnavailable)
	// ErrClaimed says that another node is changing the resource.
	ErrClaimed = errors.New("another server is changing this resource")
	// ErrSilent says that another node was changing the resource and may have died. It matches
	// storage.ErrUnavailable.
	ErrSilent = fmt.Errorf("%w: another server was changing this resource and doesn't answer", storage.ErrUnavailable)
)

// RunningError says that an identical operation is running, or has just ended.
type RunningError struct{ ID string }

func (e *RunningError) Error() string { return "an identical operation is running: " + e.ID }

// TakenOverError says how another node has ended the work. It matches [ErrFenced].
type TakenOverError struct{ Outcome Outcome }

func (e *TakenOverError) Error() string {
	return "another server has taken over the change: " + string(e.Outcome)
}

// Unwrap returns ErrFenced.
func (*TakenOverError) Unwrap() error { return ErrFenced }

// StageName returns a new reserved name for a stage of the node with this epoch. No other node uses
// it.
func StageName(epoch string) string {
	return storage.ReservedPrefix + epoch + "-" + strings.ToLower(rand.Text())
}

// Of returns this process as one of several that share the state, or nil if no other one does.
func Of(state any) Node {
	if member, ok := state.(Member); ok {
		return member.Cluster()
	}
	return nil
}

// Member is implemented by a State that is shared by several nodes.
type Member interface {
	// Cluster returns this process as a node, or nil if no other process uses the state.
	Cluster() Node
}

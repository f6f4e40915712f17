package operation

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"time"

	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
)

// Peers are the operations of all servers that serve the same files.
type Peers interface {
	cluster.Operations
	// Partial returns the error for an answer that names these members, the failed ones of total.
	Partial(named []history.Failure, total int64) error
}

// watchInterval is the time between two reports of an operation that other servers watch, and
// between two looks at an operation of another server.
const watchInterval = time.Second

// hash returns the key for other servers, or zero if no request there can be identical.
func (k *Key) hash() (sum [32]byte) {
	if !k.joinable() || k.Stranger != nil {
		return sum
	}
	var text []byte
	for _, part := range []string{k.Tenant, k.Principal, k.Method, k.Source, k.Destination, k.Depth, k.Overwrite, k.When} {
		text = binary.BigEndian.AppendUint64(text, uint64(len(part)))
		text = append(text, part...)
	}
	return sha256.Sum256(text)
}

// announce returns r, which has arrived just now, as other servers see it; nil without any. The
// Task adds the names and the status.
func (s *Registry) announce(ctx context.Context, r *Request) *cluster.Operation {
	if s.server.Peers() == nil {
		return nil
	}
	now := time.Now()
	return &cluster.Operation{Key: r.Key.hash(), Arrived: now, Record: s.server.Record(tenantOf(ctx), history.Record{
		ID: newID(), Principal: r.Principal, Method: r.Method, Depth: r.Depth, Overwrite: r.Overwrite,
		State: history.Running, Started: precise(now), Updated: precise(now),
	})}
}

// settle ends the claim of op on other servers, after its work has ended with err. It returns the
// error for the answer.
func (s *Registry) settle(op *operation, err error) error {
	if op.hold == nil || op.hold.End == nil {
		return err
	}
	s.mu.Lock()
	life, answered := op.lifecycle, op.promise == promiseDelivered
	op.held = op.waiting > 0
	held := op.held
	s.mu.Unlock()
	life.end(err, op.success)
	return op.hold.End(err, &cluster.Result{
		Record: s.server.Record(op.Tenant, s.recordIn(op, &life, op.monitor.Snapshot())),
		Held:   held,
		Keep:   !answered && op.key.hash() != [32]byte{} && life.status/100 == 2 && s.server.Keeps(err),
	})
}

// reports is a history that tells other servers about running operations.
type reports struct {
	history.Store

	registry *Registry
	peers    Peers
}

// SaveOperations implements history.Store.
func (r reports) SaveOperations(ctx context.Context, records ...history.Record) error {
	var ended []history.Record
	for _, record := range records {
		if record.State != history.Running {
			ended = append(ended, record)
			continue
		}
		stop, watched, err := r.peers.Report(ctx, record)
		if err != nil {
			return err
		}
		r.registry.hear(record.ID, stop, watched)
	}
	if len(ended) == 0 {
		return nil
	}
	return r.Store.SaveOperations(ctx, ended...)
}

// hear takes note of what requests on other servers want of the operation id.
func (s *Registry) hear(id string, stop, watched bool) {
	op := s.find(id)
	if op == nil {
		return
	}
	if stop && !op.stopping() {
		op.stop(history.Client, s.server.Stopped(s.look(op)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if watched && !op.watched && op.state == running {
		op.watched = true
		time.AfterFunc(watchInterval, func() { s.reportWatched(op) })
	}
}

func (s *Registry) reportWatched(op *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.watched = false
	if op.state == running {
		s.recorder.write(op)
	}
}

// deliveredFar tells other servers whether a client has got the result of op. If so, they forget
// it. Otherwise they find it from now on.
func (s *Registry) deliveredFar(op *operation, delivered bool) {
	peers := s.server.Peers()
	if peers == nil || !op.shared() || op.key.hash() == [32]byte{} || op.status/100 != 2 {
		return
	}
	if delivered {
		// If it fails, an identical request within two minutes gets the result again.
		s.forgetting.Go(func() { tellPeers(peers.Forget, op.id) })
	} else if op.held {
		op.held = false
		// If it fails, an identical request is carried out as a new one.
		s.forgetting.Go(func() { tellPeers(peers.Release, op.id) })
	}
}

// tellPeers calls Forget or Release of Peers for the result of the operation id.
func tellPeers(tell func(ctx context.Context, id string) error, id string) {
	ctx, cancel := context.WithTimeout(context.Background(), historyPatience)
	defer cancel()
	_ = tell(ctx, id)
}

// resultOf returns the result in the record of an operation that has ended: the status for its
// success, and the error for its answer. The error is errAgain if nothing was done.
func resultOf(peers Peers, r *history.Record) (success int, err error) {
	switch {
	case r.State == history.Interrupted && r.Recovery != recoveredFinished:
		return 0, errAgain
	case r.Status == 0 || r.Status == http.StatusServiceUnavailable:
		return 0, errAgain // The server was shutting down.
	case r.FailuresTotal > 0 && r.Status == http.StatusMultiStatus:
		return r.Status, peers.Partial(r.Failures, r.FailuresTotal)
	case r.Status/100 == 2:
		return r.Status, nil
	}
	err = status.New(r.Status, r.Reason)
	if r.State == history.Stopped {
		err = &stoppedError{error: err}
	}
	return r.Status, err
}

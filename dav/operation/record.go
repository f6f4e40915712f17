package operation

import (
	"context"
	"errors"
	"time"

	"github.com/davd/davd/dav/interim"
	"github.com/davd/davd/dav/internal/status"
	"github.com/davd/davd/storage/history"
)

// These limit how many failed members a record names, and the total length of their
// names in bytes.
const (
	maxRecordFailures = 1000
	maxRecordNames    = 64 << 10
)

// newRecord returns the record of op in the state life, with the progress p.
func newRecord(op *operation, life *lifecycle, p interim.Progress, failures []history.Failure, total int64) history.Record {
	r := history.Record{
		ID: life.id, Principal: op.Principal, Method: op.Method, Source: op.Source, Destination: op.Destination,
		Depth: op.depth, Overwrite: op.overwrite, State: history.Running, Started: precise(op.Started), Updated: precise(time.Now()),
		Done: p.Done, Known: p.Known, Bytes: p.Bytes, KnownBytes: p.KnownBytes, Current: p.Current,
		Failures: limitFailures(failures), FailuresTotal: total,
	}
	if life.state != running {
		r.Updated, r.Ended = precise(life.endedAt), precise(life.endedAt)
		r.Status, r.Reason = life.status, status.Reason(life.err)
		r.State = endState(life.err)
		if stopped, ok := errors.AsType[*stoppedError](life.err); ok {
			r.StoppedBy = stopped.by
		}
	}
	return r
}

// precise returns t with the precision of a record.
func precise(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// endState returns the state of an operation that ended with err.
func endState(err error) history.State {
	for _, stopped := range []error{errStopped, status.ErrShutdown, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, stopped) {
			return history.Stopped
		}
	}
	return history.Finished
}

// limitFailures returns those failures that fit into a record.
func limitFailures(failures []history.Failure) []history.Failure {
	failures = failures[:min(len(failures), maxRecordFailures)]
	room := maxRecordNames
	for i, failure := range failures {
		if room -= len(failure.Name); room < 0 {
			return failures[:i]
		}
	}
	return failures
}

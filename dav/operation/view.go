package operation

import (
	"net/http"
	"time"

	"github.com/davd/davd/storage/history"
)

// historyKept is how long a record is kept after the operation has ended.
const historyKept = 24 * time.Hour

// view is the state of an operation at one moment, for a status document.
type view struct {
	history.Record
	// final says that the totals of a running operation are complete.
	final bool
	// Stopping says that the operation is running and a request told it to stop.
	Stopping bool
	// own says that the client that sees it began the operation. rollsBack says that a stop undoes
	// the operation.
	own, rollsBack bool
	// members and bytes are rates per second. An operation that is stopping has none, and so
	// no estimate, because the progress of a rollback is unknown.
	members, bytes float64
}

// running reports whether the operation has not ended.
func (v *view) running() bool { return v.Ended.IsZero() }

// average sets the rates of an operation that has ended to its average. After a crash
// it counts only the time until the last record, not the downtime.
func (v *view) average() {
	until := v.Ended
	if v.State == history.Interrupted {
		until = v.Updated
	}
	if seconds := until.Sub(v.Started).Seconds(); seconds > 0 {
		v.members, v.bytes = float64(v.Done)/seconds, float64(v.Bytes)/seconds
	}
}

// totalFinal reports whether the totals in the record are complete.
func (v *view) totalFinal() bool {
	switch {
	case v.Known == 0:
		return false
	case v.running():
		return v.final
	}
	return v.State == history.Finished && v.Status < http.StatusBadRequest && v.Done == v.Known
}

// secondsLeft estimates the remaining time of a running operation. known is false until
// the totals are final, and if the rates are 0 or unknown.
func (v *view) secondsLeft() (seconds float64, known bool) {
	if !v.running() || !v.totalFinal() || v.members <= 0 && v.bytes <= 0 {
		return 0, false
	}
	if v.members > 0 {
		seconds = float64(v.Known-v.Done) / v.members
	}
	if v.bytes > 0 {
		seconds = max(seconds, float64(v.KnownBytes-v.Bytes)/v.bytes)
	}
	return seconds, true
}

// outdated reports whether the record has been kept for long enough.
func (v *view) outdated() bool { return !v.running() && time.Since(v.Ended) > historyKept }

package operation

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/storage/history"
)

// pageTime is the layout of times in a page.
const pageTime = "2006-01-02 15:04:05 UTC"

// maxLeft is the longest estimate that a page shows.
const maxLeft = 30 * 24 * time.Hour

// extent returns the progress of view in members or in bytes, whichever is the smaller
// share. Members alone would mislead because they differ in size; bytes alone would
// because a MOVE that copies removes the source after the last byte. total is 0 until
// it is final.
func extent(view *operationView) (done, total int64) {
	r := &view.record
	if !view.totalFinal() {
		return 0, 0
	}
	done, total = min(r.Done, r.Known), r.Known
	bytes := min(r.Bytes, r.KnownBytes)
	if r.KnownBytes > 0 && float64(bytes)/float64(r.KnownBytes) <= float64(done)/float64(total) {
		return bytes, r.KnownBytes
	}
	return done, total
}

// percentLine returns extent as a text such as "47%", or "" while the total is not
// final. It is "100%" only if everything is done.
func percentLine(view *operationView) string {
	done, total := extent(view)
	if total == 0 {
		return ""
	}
	percent := int64(float64(done) / float64(total) * 100)
	if done < total {
		percent = min(percent, 99)
	}
	return strconv.FormatInt(percent, 10) + "%"
}

// stopping reports whether v is running and a request told it to stop. It is rolling
// back, or it is too late to stop it.
func (v *operationView) stopping() bool {
	return v.record.Ended.IsZero() && v.op != nil && errors.Is(context.Cause(v.op.ctx), errStopped)
}

// stateWord returns the state of an operation in a word.
func stateWord(view *operationView) string {
	if view.stopping() {
		return "stopping"
	}
	return string(view.record.State)
}

// stateLine returns the state of an operation and its status, if known.
func stateLine(view *operationView) string {
	line := stateWord(view)
	if status := view.record.Status; status != 0 {
		line += ": " + statusLine(status)
	}
	return line
}

func statusLine(status int) string { return strconv.Itoa(status) + " " + http.StatusText(status) }

// stateKind returns the CSS class for the state of r.
func stateKind(r *history.Record) string {
	switch {
	case r.State == history.Running:
		return "running"
	case r.State == history.Interrupted, r.State == history.Finished && r.Status >= http.StatusBadRequest:
		return "bad"
	case r.State == history.Stopped, r.FailuresTotal > 0:
		return "mixed"
	}
	return "good"
}

// rateLine returns the rates per second as a text.
func rateLine(view *operationView) string {
	precision := 0
	if view.members < 9.95 {
		precision = 1
	}
	line := strconv.FormatFloat(view.members, 'f', precision, 64) + " members"
	if view.bytes >= 1 {
		line += ", " + string(browser.AppendSize(nil, int64(view.bytes)))
	}
	return line + " a second"
}

// leftLine returns the estimate of the remaining time as a text, or "".
func leftLine(view *operationView) string {
	seconds, known := view.secondsLeft()
	if !known || seconds > maxLeft.Seconds() {
		return ""
	}
	return "about " + durationLine(time.Duration(max(seconds, 1)*float64(time.Second))) + " left"
}

// durationUnits are the units of a duration. Each has the next smaller unit, and the
// duration from which the next greater unit applies.
var durationUnits = []struct {
	unit, next, below time.Duration
	name, nextName    string
}{
	{time.Second, time.Second, time.Minute, " s", ""},
	{time.Minute, time.Second, time.Hour, " min", " s"},
	{time.Hour, time.Minute, 24 * time.Hour, " h", " min"},
	{24 * time.Hour, time.Hour, math.MaxInt64, " d", " h"},
}

// durationLine returns d in its two greatest units.
func durationLine(d time.Duration) string {
	if d < time.Second {
		return "less than 1 s"
	}
	for _, u := range durationUnits {
		rounded := d.Round(u.next)
		if rounded >= u.below {
			continue
		}
		line := strconv.FormatInt(int64(rounded/u.unit), 10) + u.name
		if rest := rounded % u.unit / u.next; rest > 0 {
			line += " " + strconv.FormatInt(int64(rest), 10) + u.nextName
		}
		return line
	}
	return "" // unreachable: the last row has no limit
}

// ofLine returns, for example, "3 of 20", with "found so far" while the total may grow.
func ofLine(view *operationView, done, known int64, appendNumber func([]byte, int64) []byte) string {
	line := string(appendOf(nil, done, known, appendNumber))
	if known > 0 && view.record.Ended.IsZero() && !view.totalFinal() {
		line += " found so far"
	}
	return line
}

// appendCount appends n with a comma between groups of three digits.
func appendCount(dst []byte, n int64) []byte {
	digits := strconv.FormatInt(n, 10)
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, digits[i])
	}
	return dst
}

// appendOf appends done and, if known is not 0, " of " and known.
func appendOf(dst []byte, done, known int64, appendNumber func([]byte, int64) []byte) []byte {
	dst = appendNumber(dst, done)
	if known > 0 {
		dst = appendNumber(append(dst, " of "...), known)
	}
	return dst
}

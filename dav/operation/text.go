package operation

import (
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

// extent returns the progress of v in members or in bytes, whichever is the smaller
// share. Members alone would mislead because they differ in size; bytes alone would
// because a MOVE that copies removes the source after the last byte. total is 0 until
// it is final.
func extent(v *view) (done, total int64) {
	if !v.totalFinal() {
		return 0, 0
	}
	done, total = min(v.Done, v.Known), v.Known
	bytes := min(v.Bytes, v.KnownBytes)
	if v.KnownBytes > 0 && float64(bytes)/float64(v.KnownBytes) <= float64(done)/float64(total) {
		return bytes, v.KnownBytes
	}
	return done, total
}

// percentLine returns extent as a text such as "47%", or "" while the total is not
// final. It is "100%" only if everything is done.
func percentLine(v *view) string {
	done, total := extent(v)
	if total == 0 {
		return ""
	}
	percent := int64(float64(done) / float64(total) * 100)
	if done < total {
		percent = min(percent, 99)
	}
	return strconv.FormatInt(percent, 10) + "%"
}

// stateWord returns the state of an operation in a word.
func stateWord(v *view) string {
	if v.stopping {
		return "stopping"
	}
	return string(v.State)
}

// stateLine returns the state of an operation and its status, if known.
func stateLine(v *view) string {
	line := stateWord(v)
	if status := v.Status; status != 0 {
		line += ": " + statusLine(status)
	}
	return line
}

func statusLine(status int) string { return strconv.Itoa(status) + " " + http.StatusText(status) }

// stateKind returns the CSS class for the state.
func stateKind(v *view) string {
	switch r := &v.Record; {
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
func rateLine(v *view) string {
	precision := 0
	if v.members < 9.95 {
		precision = 1
	}
	line := strconv.FormatFloat(v.members, 'f', precision, 64) + " members"
	if v.bytes >= 1 {
		line += ", " + sizeText(int64(v.bytes))
	}
	return line + " a second"
}

// leftLine returns the estimate of the remaining time as a text, or "".
func leftLine(v *view) string {
	seconds, known := v.secondsLeft()
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
func ofLine(v *view, done, known int64, text func(int64) string) string {
	line := doneOf(done, known, text)
	if known > 0 && v.running() && !v.totalFinal() {
		line += " found so far"
	}
	return line
}

// doneOf returns done and, if known is not 0, " of " and known.
func doneOf(done, known int64, text func(int64) string) string {
	if known == 0 {
		return text(done)
	}
	return text(done) + " of " + text(known)
}

// countText returns n with a comma between groups of three digits.
func countText(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// sizeText returns a number of bytes with its unit.
func sizeText(n int64) string { return string(browser.AppendSize(nil, n)) }

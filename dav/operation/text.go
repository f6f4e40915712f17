package operation

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/davd/davd/dav/internal/browser"
	"github.com/davd/davd/storage/history"
)

// maxLeft is the longest estimate that a page shows.
const maxLeft = 30 * 24 * time.Hour

func timeText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// progress is how much of an operation is done, in members or in bytes.
type progress struct{ Done, Total int64 }

// progressOf returns the progress of v in members or in bytes, whichever is the smaller
// share. Members alone would mislead because they differ in size; bytes alone would
// because a MOVE that copies removes the source after the last byte. It returns nil until
// the total is final, and during a rollback, whose progress is unknown.
func progressOf(v *view) *progress {
	if v.Stopping || !v.totalFinal() {
		return nil
	}
	members, content := progress{min(v.Done, v.Known), v.Known}, progress{min(v.Bytes, v.KnownBytes), v.KnownBytes}
	if content.Total > 0 && content.share() <= members.share() {
		return &content
	}
	return &members
}

func (p *progress) share() float64 { return float64(p.Done) / float64(p.Total) }

// percentText returns progressOf as a text such as "47%", or "". It is "100%" only if
// everything is done.
func percentText(v *view) string {
	p := progressOf(v)
	if p == nil {
		return ""
	}
	percent := int64(p.share() * 100)
	if p.Done < p.Total {
		percent = min(percent, 99)
	}
	return strconv.FormatInt(percent, 10) + "%"
}

// stateWord returns the state of an operation in a word.
func stateWord(v *view) string {
	if v.Stopping {
		return "stopping"
	}
	return string(v.State)
}

// verbText returns what an operation does, in the words of people.
func verbText(v *view) string {
	switch v.Method {
	case "COPY":
		return "Copy"
	case "MOVE":
		return "Move"
	case http.MethodDelete:
		return "Delete"
	case "PROPFIND":
		return "List"
	default:
		return v.Method
	}
}

// stateText returns the state of an operation. If it was stopped, it says by whom, and what that
// has left. Otherwise it has the status, if known.
func stateText(v *view) string {
	if v.State == history.Stopped {
		return stoppedText(v)
	}
	line := stateWord(v)
	if status := v.Status; status != 0 {
		line += ": " + statusText(status)
	}
	return line
}

// stoppedText is stateText for an operation that was stopped.
func stoppedText(v *view) string {
	var line string
	switch by := v.StoppedBy; {
	case by == history.Owner && v.own:
		line = "Stopped by you."
	case by == history.Owner && v.Principal != "":
		line = "Stopped by " + browser.Label(v.Principal) + "."
	case by == history.Administrator:
		line = "Stopped by an administrator."
	case by != "":
		line = "Stopped on request."
	case v.Reason != "":
		line = "Stopped: " + v.Reason + "."
	default:
		line = "Stopped."
	}
	switch {
	case v.rollsBack:
		line += " Nothing changed."
	case v.Method == http.MethodDelete:
		line += " What was deleted before is gone."
	case v.Method != "PROPFIND":
		line += " A part may have been done."
	}
	return line
}

// reasonText returns the reason of the state, unless stateText says it.
func reasonText(v *view) string {
	if v.State == history.Stopped {
		return ""
	}
	return v.Reason
}

func statusText(status int) string { return strconv.Itoa(status) + " " + http.StatusText(status) }

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

// rateText returns the rates per second as a text, or "" if they are 0 or unknown.
func rateText(v *view) string {
	if v.Stopping || v.members <= 0 && v.bytes <= 0 {
		return ""
	}
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

// leftText returns the estimate of the remaining time as a text, or "".
func leftText(v *view) string {
	seconds, known := v.secondsLeft()
	if !known || seconds > maxLeft.Seconds() {
		return ""
	}
	return "about " + durationText(time.Duration(max(seconds, 1)*float64(time.Second))) + " left"
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

// durationText returns d in its two greatest units.
func durationText(d time.Duration) string {
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

// membersText and contentText return how many members and bytes are done. The content is
// "" if it has no bytes.
func membersText(v *view) string { return ofText(v, v.Done, v.Known, countText) }

func contentText(v *view) string {
	if v.Bytes == 0 && v.KnownBytes == 0 {
		return ""
	}
	return ofText(v, v.Bytes, v.KnownBytes, sizeText)
}

// ofText returns, for example, "3 of 20", with "found so far" while the total may grow.
func ofText(v *view, done, known int64, text func(int64) string) string {
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

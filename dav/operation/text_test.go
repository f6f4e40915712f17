package operation

import (
	"math"
	"testing"
	"time"

	"github.com/davd/davd/storage/history"
)

func TestDurationText(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"less than 1 s": 999 * time.Millisecond,
		"1 s":           1400 * time.Millisecond,
		"59 s":          59400 * time.Millisecond,
		"1 min":         59500 * time.Millisecond,
		"1 min 5 s":     65 * time.Second,
		"59 min 59 s":   time.Hour - time.Second,
		"1 h":           time.Hour - 400*time.Millisecond,
		"1 h 1 min":     time.Hour + 31*time.Second,
		"23 h 59 min":   23*time.Hour + 59*time.Minute,
		"1 d":           24*time.Hour - time.Second,
		"2 d 3 h":       51 * time.Hour,
	} {
		if got := durationText(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestCountText(t *testing.T) {
	for want, n := range map[string]int64{
		"0": 0, "999": 999, "1,000": 1000, "12,345": 12345, "999,999": 999_999, "1,000,000": 1_000_000, "9,223,372,036,854,775,807": math.MaxInt64,
	} {
		if got := countText(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestPercentText(t *testing.T) {
	for _, c := range []struct {
		name string
		r    history.Record
		want string
	}{
		{"nothing is known", history.Record{Done: 3}, ""},
		{"members", history.Record{Done: 1, Known: 3}, "33%"},
		{"fewer members than bytes", history.Record{Done: 1, Known: 2, Bytes: 9, KnownBytes: 10}, "50%"},
		{"fewer bytes than members", history.Record{Done: 9, Known: 10, Bytes: 1, KnownBytes: 10}, "10%"},
		{"one byte is missing", history.Record{Done: 1, Known: 1, Bytes: math.MaxInt64 - 1, KnownBytes: math.MaxInt64}, "99%"},
		{"all", history.Record{Done: 7, Known: 7}, "100%"},
		{"more than was known", history.Record{Done: 8, Known: 7}, "100%"},
	} {
		if got := percentText(runningView(c.r)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := percentText(&view{Record: c.r}); got != "" {
			t.Errorf("%s, still counted: %q", c.name, got)
		}
	}
}

// runningView returns a view of a running operation. The totals of r are final.
func runningView(r history.Record) *view { return &view{Record: r, final: true} }

// TestTotalFinal checks that a total is final if the monitor of a running operation
// says so, or if all members are done.
func TestTotalFinal(t *testing.T) {
	ended := pageStart
	for _, c := range []struct {
		name string
		view *view
		want bool
	}{
		{"running", runningView(history.Record{Done: 1, Known: 2}), true},
		{"no number", runningView(history.Record{Done: 1}), false},
		{"still counting", &view{Record: history.Record{Done: 1, Known: 2}}, false},
		{"done", &view{Record: history.Record{State: history.Finished, Status: 204, Ended: ended, Done: 2, Known: 2}}, true},
		{"failed", &view{Record: history.Record{State: history.Finished, Status: 507, Ended: ended, Done: 2, Known: 2}}, false},
		{"partly done", &view{Record: history.Record{State: history.Finished, Status: 207, Ended: ended, Done: 2, Known: 3}}, false},
		{"stopped", &view{Record: history.Record{State: history.Stopped, Ended: ended, Done: 2, Known: 2}}, false},
		{"interrupted", &view{Record: history.Record{State: history.Interrupted, Ended: ended, Done: 2, Known: 2}}, false},
	} {
		if got := c.view.totalFinal(); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
		if got := newStatus(c.view, href).Progress.TotalFinal; got != c.want {
			t.Errorf("%s: the document says %t", c.name, got)
		}
	}
}

// TestAverage checks that the rate after a crash covers only the time before the crash.
func TestAverage(t *testing.T) {
	for _, c := range []struct {
		state history.State
		want  float64
	}{{history.Interrupted, 10}, {history.Finished, 1}} {
		v := view{Record: history.Record{
			State: c.state, Done: 100, Started: pageStart, Updated: pageStart.Add(10 * time.Second), Ended: pageStart.Add(100 * time.Second),
		}}
		if v.average(); v.members != c.want {
			t.Errorf("%s: %v members a second, want %v", c.state, v.members, c.want)
		}
	}
}

func TestStateKind(t *testing.T) {
	for _, c := range []struct {
		r    history.Record
		want string
	}{
		{history.Record{State: history.Running, FailuresTotal: 1}, "running"},
		{history.Record{State: history.Finished, Status: 201}, "good"},
		{history.Record{State: history.Finished, Status: 207, FailuresTotal: 1}, "mixed"},
		{history.Record{State: history.Finished, Status: 507}, "bad"},
		{history.Record{State: history.Stopped, Status: 403}, "mixed"},
		{history.Record{State: history.Interrupted}, "bad"},
	} {
		if got := stateKind(&view{Record: c.r}); got != c.want {
			t.Errorf("%+v is %s, want %s", c.r, got, c.want)
		}
	}
}

func TestRateAndLeft(t *testing.T) {
	for _, c := range []struct {
		name       string
		view       view
		rate, left string
	}{
		{"slow", view{Record: history.Record{Done: 1, Known: 10}, members: 0.25}, "0.2 members a second", "about 36 s left"},
		{"fast", view{Record: history.Record{Done: 1, Known: 10, Bytes: 1, KnownBytes: 10e6}, members: 99.6, bytes: 1.5e6}, "100 members, 1.5 MB a second", "about 7 s left"},
		{"at the end", view{Record: history.Record{Done: 10, Known: 10}, members: 9.96}, "10 members a second", "about 1 s left"},
		{"no number", view{Record: history.Record{Done: 1}, members: 1}, "1.0 members a second", ""},
		{"longer than anybody waits", view{Record: history.Record{Known: math.MaxInt64}, members: 0.1}, "0.1 members a second", ""},
	} {
		if left := leftText(&c.view); left != "" {
			t.Errorf("%s, still counted: %q", c.name, left)
		}
		c.view.final = true
		if rate, left := rateText(&c.view), leftText(&c.view); rate != c.rate || left != c.left {
			t.Errorf("%s: %q, %q, want %q, %q", c.name, rate, left, c.rate, c.left)
		}
	}
}

// TestStoppedText checks that the text about a stopped operation says truthfully by whom it was
// stopped, and what that has left.
func TestStoppedText(t *testing.T) {
	for _, c := range []struct {
		record         history.Record
		own, rollsBack bool
		want           string
	}{
		{history.Record{Method: "COPY", Principal: "ann", StoppedBy: history.Owner}, true, true, "Stopped by you. Nothing changed."},
		{history.Record{Method: "MOVE", Principal: "ann", StoppedBy: history.Owner}, false, true, "Stopped by ann. Nothing changed."},
		{history.Record{Method: "MOVE", Principal: "ann", StoppedBy: history.Administrator}, true, true, "Stopped by an administrator. Nothing changed."},
		{history.Record{Method: "COPY", StoppedBy: history.Client}, false, true, "Stopped on request. Nothing changed."},
		{history.Record{Method: "COPY", Reason: "the server is shutting down"}, true, true, "Stopped: the server is shutting down. Nothing changed."},
		{history.Record{Method: "COPY"}, true, false, "Stopped. A part may have been done."},
		{history.Record{Method: "DELETE", StoppedBy: history.Owner}, true, false, "Stopped by you. What was deleted before is gone."},
		{history.Record{Method: "PROPFIND", StoppedBy: history.Owner}, true, false, "Stopped by you."},
	} {
		c.record.State = history.Stopped
		if got := stateText(&view{Record: c.record, own: c.own, rollsBack: c.rollsBack}); got != c.want {
			t.Errorf("%+v: %q, want %q", c.record, got, c.want)
		}
	}
}

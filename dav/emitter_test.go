package dav

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/storage/tree"
)

// run is an operation with an emitter on virtual time. It lasts for length, and its
// progress changes once each change.
type run struct {
	config         Interim
	grant          grant
	undecided      bool
	length, change time.Duration
	multistatus    bool
}

// play runs the operation in a bubble and returns what was sent.
func (p run) play(t *testing.T) (w *wire) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = p.playInBubble(t)
	})
	return w
}

func (p run) playInBubble(t *testing.T) *wire {
	t.Helper()
	r := requestOn(t, &http.Server{})
	w := newWire()
	res := newResponse(w, r)
	if p.multistatus {
		res.streamMultistatus()
		res.WriteHeader(http.StatusMultiStatus)
		_, _ = res.Write([]byte("<a/>"))
	}
	e := &emitter{
		request: r, config: &p.config, grant: p.grant, undecided: p.undecided, res: res,
		monitor: new(tree.Monitor), root: "/src", success: http.StatusCreated,
		url: func(name string) string { return "http://davd.test" + name },
	}
	e.start(t.Context())
	for start := time.Now(); time.Since(start) < p.length; {
		left := p.length - time.Since(start)
		if p.change > 0 {
			e.monitor.Resolve(fmt.Sprintf("/src/%d", e.monitor.Snapshot().Done), nil)
			left = min(left, p.change)
		}
		time.Sleep(left) // virtual
	}
	e.stop()
	sent := len(w.interims())
	_ = res.finish()
	time.Sleep(time.Hour) // virtual; anything sent too late would be sent now
	synctest.Wait()
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	if late := len(w.interims()) - sent; late != 0 {
		t.Fatalf("%d interim responses after the emitter was stopped", late)
	}
	return w
}

// ages returns when the interim responses were sent, since the start.
func ages(w *wire, length time.Duration) []time.Duration {
	start := w.events[len(w.events)-1].at.Add(-length)
	var list []time.Duration
	for _, e := range w.interims() {
		list = append(list, e.at.Sub(start))
	}
	return list
}

func TestEmitterRule4Times(t *testing.T) {
	const s = time.Second
	anyone, asked := grant{limit: unlimited}, grant{limit: unlimited, asked: true}
	for name, c := range map[string]struct {
		run  run
		want []time.Duration
	}{
		"RFC 2518 §10.1: the first after 20 s, then each 20 s": {
			run{grant: anyone, length: 70 * s}, []time.Duration{20 * s, 40 * s, 60 * s},
		},
		"none for a quick operation": {
			run{grant: anyone, length: 19 * s}, nil,
		},
		"configured times": {
			run{config: Interim{After: 1 * s, Every: 3 * s}, grant: anyone, length: 8 * s}, []time.Duration{1 * s, 4 * s, 7 * s},
		},
		"immediately": {
			run{config: Interim{After: -1, Every: 5 * s}, grant: anyone, length: 11 * s}, []time.Duration{0, 5 * s, 10 * s},
		},
		"asked: immediately, then each second while the progress changes": {
			run{grant: asked, length: 4500 * time.Millisecond, change: s / 2}, []time.Duration{0, 1 * s, 2 * s, 3 * s, 4 * s},
		},
		"asked: never more than one a second": {
			run{config: Interim{After: -1, Every: s / 10}, grant: asked, length: 2500 * time.Millisecond, change: s / 10}, []time.Duration{0, 1 * s, 2 * s},
		},
		"asked: no changes, so only the idle timer matters": {
			run{grant: asked, length: 50 * s}, []time.Duration{0, 20 * s, 40 * s},
		},
		"asked, but nothing granted": {
			run{grant: grant{asked: true}, length: 50 * s, change: s}, nil,
		},
		"rule 5: the limit ends them": {
			run{grant: grant{limit: 2}, length: 100 * s}, []time.Duration{20 * s, 40 * s},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := ages(c.run.play(t), c.run.length)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("sent at %v, want %v", got, c.want)
			}
		})
	}
}

// TestEmitterRule4Slows: for a client that asked, the interim responses of a long
// operation slow down to the constant interval, and stay within the budget in bytes.
func TestEmitterRule4Slows(t *testing.T) {
	p := run{grant: grant{limit: unlimited, asked: true}, length: 6 * time.Hour, change: 100 * time.Millisecond}
	w := p.play(t)
	list := ages(w, p.length)
	bytes, previous := 0, time.Duration(0)
	for i, age := range list {
		bytes += interimOverhead + headerSize(w.interims()[i].header)
		gap := age - previous
		if i > 0 && (gap < time.Second || gap > 20*time.Second) {
			t.Fatalf("%v between two at the age of %v", gap, age)
		}
		previous = age
	}
	if left := p.length - previous; left > 20*time.Second {
		t.Errorf("none in the last %v", left)
	}
	if bytes > hardBudget {
		t.Errorf("%d bytes of interim responses, the budget is %d", bytes, hardBudget)
	}
	t.Logf("%d interim responses, %d bytes in %v", len(list), bytes, p.length)
}

// TestEmitterBudget: with the longest headers, the full interim responses end early
// enough for bare ones to continue, and those end at the hard budget.
func TestEmitterBudget(t *testing.T) {
	p := run{
		config: Interim{After: -1, Every: time.Second},
		grant:  grant{limit: unlimited, asked: true},
		length: 48 * time.Hour, change: 250 * time.Millisecond,
	}
	w := p.play(t)
	bytes, bare := 0, 0
	for _, e := range w.interims() {
		if bytes >= hardBudget {
			t.Fatalf("one more after %d bytes", bytes)
		}
		if bytes >= hardBudget/4*3 {
			bare++
			if e.header[statusURI] != nil || strings.Contains(e.header.Get("Progress"), `"`) {
				t.Fatalf("full headers after %d bytes: %v", bytes, e.header)
			}
		}
		bytes += interimOverhead + headerSize(e.header)
	}
	if bare < 500 {
		t.Errorf("%d bare ones", bare)
	}
}

// TestEmitterHeaders: the headers of an interim response for each kind of client.
func TestEmitterHeaders(t *testing.T) {
	for _, asked := range []bool{false, true} {
		p := run{
			config: Interim{After: time.Second, Every: time.Second},
			grant:  grant{limit: unlimited, asked: asked},
			length: 2500 * time.Millisecond, change: 400 * time.Millisecond,
		}
		w := p.play(t)
		for i, e := range w.interims() {
			if e.header.Get("Progress") == "" {
				t.Errorf("asked %v: number %d has no Progress: %v", asked, i, e.header)
			}
			// The first one is sent before any member is done.
			if has, want := e.header[statusURI] != nil, asked && i > 0; has != want {
				t.Errorf("asked %v: number %d: Status-URI %v, want %v", asked, i, has, want)
			}
		}
		if len(w.interims()) < 2 {
			t.Errorf("asked %v: %d sent", asked, len(w.interims()))
		}
	}
}

// TestEmitterKeepsBodyAlive: a multi-status that has begun is committed when the client
// can't get an interim response. From then on, a newline is written at each interval
// without other output.
func TestEmitterKeepsBodyAlive(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		grant    grant
		length   time.Duration
		newlines int
		interims int
	}{
		"an interim response while one is allowed": {grant{limit: unlimited}, 70 * s, 0, 3},
		"committed at 20 s, newlines at 40 and 60": {grant{}, 70 * s, 2, 0},
		"after the limit":                          {grant{limit: 1}, 90 * s, 2, 1},
		"a quick operation":                        {grant{}, 10 * s, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := run{grant: c.grant, length: c.length, multistatus: true}.play(t)
			if got := strings.Count(w.body(), "\n"); got != c.newlines {
				t.Errorf("%d newlines, want %d", got, c.newlines)
			}
			if got := len(w.interims()); got != c.interims {
				t.Errorf("%d interim responses, want %d", got, c.interims)
			}
			if !strings.HasPrefix(w.body(), "<a/>") {
				t.Errorf("body %q", w.body())
			}
		})
	}
}

// TestEmitterDecides: the grant of a client that didn't ask is determined when the
// first interim response is due.
func TestEmitterDecides(t *testing.T) {
	for name, c := range map[string]struct {
		mode InterimMode
		want int
	}{
		"always": {InterimAlways, 3},
		"auto":   {InterimAuto, 0}, // the client is unknown
		"never":  {InterimNever, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := run{config: Interim{Mode: c.mode}, undecided: true, length: 70 * time.Second}
			if got := len(p.play(t).interims()); got != c.want {
				t.Errorf("%d sent, want %d", got, c.want)
			}
		})
	}
}

// TestEmitterClientGone: nothing is written after the client has disconnected.
func TestEmitterClientGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := requestOn(t, &http.Server{}), newWire()
		e := &emitter{
			request: r, config: &Interim{}, grant: grant{limit: unlimited},
			res: newResponse(w, r), monitor: new(tree.Monitor),
		}
		client, gone := context.WithCancel(t.Context())
		e.start(client)
		time.Sleep(30 * time.Second) // virtual
		gone()
		time.Sleep(time.Hour) // virtual
		e.stop()
		if got := len(w.interims()); got != 1 {
			t.Errorf("%d sent, want the one before", got)
		}
	})
}

// TestEmitterSent: the hook is called for each interim response, with its header.
func TestEmitterSent(t *testing.T) {
	var seen []string
	p := run{
		config: Interim{Sent: func(_ *http.Request, header http.Header) { seen = append(seen, header.Get("Progress")) }},
		grant:  grant{limit: unlimited}, length: 70 * time.Second, change: 10 * time.Second,
	}
	w := p.play(t)
	if len(seen) != 3 || len(w.interims()) != 3 {
		t.Fatalf("seen %q of %d", seen, len(w.interims()))
	}
	for i, e := range w.interims() {
		if e.header.Get("Progress") != seen[i] {
			t.Errorf("seen %q, sent %q", seen[i], e.header.Get("Progress"))
		}
	}
}

// TestEmitterStopWaits: after stop, no part of the emitter is running.
func TestEmitterStopWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, ended := false, false
		config := Interim{After: time.Second, Sent: func(*http.Request, http.Header) {
			begun = true
			time.Sleep(time.Minute) // virtual
			ended = true
		}}
		r := requestOn(t, &http.Server{})
		e := &emitter{
			request: r, config: &config, grant: grant{limit: unlimited},
			res: newResponse(newWire(), r), monitor: new(tree.Monitor),
		}
		e.start(t.Context())
		time.Sleep(2 * time.Second) // virtual
		e.stop()
		if !begun || !ended {
			t.Errorf("begun %v, ended %v", begun, ended)
		}
	})
}

// FuzzEmitterTimes: with any times, no interim response is late, and none that was due
// is missing.
func FuzzEmitterTimes(f *testing.F) {
	f.Add(uint32(100), uint32(10), uint32(1000), uint32(7))
	f.Add(uint32(0), uint32(1), uint32(50), uint32(0))
	f.Add(uint32(20), uint32(20), uint32(20), uint32(3))
	f.Fuzz(func(t *testing.T, after, every, length, change uint32) {
		const ms = time.Millisecond
		p := run{
			config: Interim{After: time.Duration(after%10_000) * ms, Every: time.Duration(1+every%10_000) * ms},
			grant:  grant{limit: 1000},
			length: time.Duration(length%100_000) * ms,
			change: time.Duration(change%1000) * ms,
		}
		if p.config.After == 0 {
			p.config.After = -1
		}
		got := len(p.play(t).interims())
		// At the very end, both due and not due are right.
		least, most := p.due(p.length-1), p.due(p.length)
		if got < least || got > most {
			t.Errorf("%d sent, due %d to %d", got, least, most)
		}
	})
}

// due returns how many interim responses are due by the age for a client that didn't
// ask.
func (p run) due(age time.Duration) int {
	first := max(p.config.After, 0)
	if age < first {
		if first == 0 {
			return 1 // an immediate one comes before anything else
		}
		return 0
	}
	return min(1+int((age-first)/p.config.Every), p.grant.limit)
}

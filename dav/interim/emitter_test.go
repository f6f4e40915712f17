package interim

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav/internal/wiretest"
)

// run is an operation with an emitter on virtual time. It lasts for length, and its
// progress changes once each change.
type run struct {
	config         Policy
	grant          Grant
	undecided      bool
	length, change time.Duration
	multistatus    bool
}

// play runs the operation in a bubble and returns what was sent.
func (p run) play(t *testing.T) (w *wiretest.Wire) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = p.playInBubble(t)
	})
	return w
}

func (p run) playInBubble(t *testing.T) *wiretest.Wire {
	t.Helper()
	r := wiretest.RequestOn(t, &http.Server{})
	w := wiretest.New()
	res := NewResponse(w, r, 0, nil)
	if p.multistatus {
		res.StreamMultistatus()
		res.WriteHeader(http.StatusMultiStatus)
		_, _ = res.Write([]byte("<a/>"))
	}
	monitor := new(memberCount)
	about := Emission{
		Request: r, Policy: &p.config, Monitor: monitor, Root: "/src", Success: http.StatusCreated,
		URL: func(name string) string { return "http://davd.test" + name },
	}
	if !p.undecided {
		about.Grant = &p.grant
	}
	e := res.Start(about)
	for start := time.Now(); time.Since(start) < p.length; {
		left := p.length - time.Since(start)
		if p.change > 0 {
			monitor.finish(fmt.Sprintf("/src/%d", monitor.Snapshot().Done), 0)
			left = min(left, p.change)
		}
		time.Sleep(left) // virtual
	}
	e.Stop()
	sent := len(w.Interims())
	_ = res.Finish()
	time.Sleep(time.Hour) // virtual; anything sent too late would be sent now
	synctest.Wait()
	if err := w.Check(); err != nil {
		t.Fatal(err)
	}
	if late := len(w.Interims()) - sent; late != 0 {
		t.Fatalf("%d interim responses after the emitter was stopped", late)
	}
	return w
}

// ages returns when the interim responses were sent, since the start.
func ages(w *wiretest.Wire, length time.Duration) []time.Duration {
	start := w.Events[len(w.Events)-1].At.Add(-length)
	var list []time.Duration
	for _, e := range w.Interims() {
		list = append(list, e.At.Sub(start))
	}
	return list
}

func TestEmitterRule4Times(t *testing.T) {
	const s = time.Second
	anyone, asked := Grant{Limit: unlimited}, Grant{Limit: unlimited, Asked: true}
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
			run{config: Policy{After: 1 * s, Every: 3 * s}, grant: anyone, length: 8 * s}, []time.Duration{1 * s, 4 * s, 7 * s},
		},
		"immediately": {
			run{config: Policy{After: -1, Every: 5 * s}, grant: anyone, length: 11 * s}, []time.Duration{0, 5 * s, 10 * s},
		},
		"asked: immediately, then each second while the progress changes": {
			run{grant: asked, length: 4500 * time.Millisecond, change: s / 2}, []time.Duration{0, 1 * s, 2 * s, 3 * s, 4 * s},
		},
		"asked: never more than one a second": {
			run{config: Policy{After: -1, Every: s / 10}, grant: asked, length: 2500 * time.Millisecond, change: s / 10}, []time.Duration{0, 1 * s, 2 * s},
		},
		"asked: no changes, so only the idle timer matters": {
			run{grant: asked, length: 50 * s}, []time.Duration{0, 20 * s, 40 * s},
		},
		"asked, but nothing granted": {
			run{grant: Grant{Asked: true}, length: 50 * s, change: s}, nil,
		},
		"rule 5: the limit ends them": {
			run{grant: Grant{Limit: 2}, length: 100 * s}, []time.Duration{20 * s, 40 * s},
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
	p := run{grant: Grant{Limit: unlimited, Asked: true}, length: 6 * time.Hour, change: 100 * time.Millisecond}
	w := p.play(t)
	list := ages(w, p.length)
	bytes, previous := 0, time.Duration(0)
	for i, age := range list {
		bytes += interimOverhead + headerSize(w.Interims()[i].Header)
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
		config: Policy{After: -1, Every: time.Second},
		grant:  Grant{Limit: unlimited, Asked: true},
		length: 48 * time.Hour, change: 250 * time.Millisecond,
	}
	w := p.play(t)
	bytes, bare := 0, 0
	for _, e := range w.Interims() {
		if bytes >= hardBudget {
			t.Fatalf("one more after %d bytes", bytes)
		}
		if bytes >= hardBudget/4*3 {
			bare++
			if e.Header[statusURI] != nil || strings.Contains(e.Header.Get("Progress"), `"`) {
				t.Fatalf("full headers after %d bytes: %v", bytes, e.Header)
			}
		}
		bytes += interimOverhead + headerSize(e.Header)
	}
	if bare < 500 {
		t.Errorf("%d bare ones", bare)
	}
}

// TestEmitterHeaders: the headers of an interim response for each kind of client.
func TestEmitterHeaders(t *testing.T) {
	for _, asked := range []bool{false, true} {
		p := run{
			config: Policy{After: time.Second, Every: time.Second},
			grant:  Grant{Limit: unlimited, Asked: asked},
			length: 2500 * time.Millisecond, change: 400 * time.Millisecond,
		}
		w := p.play(t)
		for i, e := range w.Interims() {
			if e.Header.Get("Progress") == "" {
				t.Errorf("asked %v: number %d has no Progress: %v", asked, i, e.Header)
			}
			// The first one is sent before any member is done.
			if has, want := e.Header[statusURI] != nil, asked && i > 0; has != want {
				t.Errorf("asked %v: number %d: Status-URI %v, want %v", asked, i, has, want)
			}
		}
		if len(w.Interims()) < 2 {
			t.Errorf("asked %v: %d sent", asked, len(w.Interims()))
		}
	}
}

// TestEmitterKeepsBodyAlive: a multi-status that has begun is committed when the client
// can't get an interim response. From then on, a newline is written at each interval
// without other output.
func TestEmitterKeepsBodyAlive(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		grant    Grant
		length   time.Duration
		newlines int
		interims int
	}{
		"an interim response while one is allowed": {Grant{Limit: unlimited}, 70 * s, 0, 3},
		"committed at 20 s, newlines at 40 and 60": {Grant{}, 70 * s, 2, 0},
		"after the limit":                          {Grant{Limit: 1}, 90 * s, 2, 1},
		"a quick operation":                        {Grant{}, 10 * s, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := run{grant: c.grant, length: c.length, multistatus: true}.play(t)
			if got := strings.Count(w.Body(), "\n"); got != c.newlines {
				t.Errorf("%d newlines, want %d", got, c.newlines)
			}
			if got := len(w.Interims()); got != c.interims {
				t.Errorf("%d interim responses, want %d", got, c.interims)
			}
			if !strings.HasPrefix(w.Body(), "<a/>") {
				t.Errorf("body %q", w.Body())
			}
		})
	}
}

// TestEmitterDecides: the grant of a client that didn't ask is determined when the
// first interim response is due.
func TestEmitterDecides(t *testing.T) {
	for name, c := range map[string]struct {
		mode Mode
		want int
	}{
		"always": {Always, 3},
		"auto":   {Auto, 0}, // the client is unknown
		"never":  {Never, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := run{config: Policy{Mode: c.mode}, undecided: true, length: 70 * time.Second}
			if got := len(p.play(t).Interims()); got != c.want {
				t.Errorf("%d sent, want %d", got, c.want)
			}
		})
	}
}

// TestEmitterClientGone: nothing is written after the client has disconnected.
func TestEmitterClientGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, gone := context.WithCancel(t.Context())
		w := wiretest.New()
		r := wiretest.RequestOn(t, &http.Server{})
		r = r.WithContext(context.WithValue(client, http.ServerContextKey, r.Context().Value(http.ServerContextKey)))
		e := NewResponse(w, r, 0, nil).Start(Emission{Request: r, Policy: &Policy{}, Grant: &Grant{Limit: unlimited}, Monitor: new(memberCount)})
		time.Sleep(30 * time.Second) // virtual
		gone()
		time.Sleep(time.Hour) // virtual
		e.Stop()
		if got := len(w.Interims()); got != 1 {
			t.Errorf("%d sent, want the one before", got)
		}
	})
}

// TestEmitterSent: the hook is called for each interim response, with its header.
func TestEmitterSent(t *testing.T) {
	var seen []string
	p := run{
		config: Policy{Sent: func(_ *http.Request, header http.Header) { seen = append(seen, header.Get("Progress")) }},
		grant:  Grant{Limit: unlimited}, length: 70 * time.Second, change: 10 * time.Second,
	}
	w := p.play(t)
	if len(seen) != 3 || len(w.Interims()) != 3 {
		t.Fatalf("seen %q of %d", seen, len(w.Interims()))
	}
	for i, e := range w.Interims() {
		if e.Header.Get("Progress") != seen[i] {
			t.Errorf("seen %q, sent %q", seen[i], e.Header.Get("Progress"))
		}
	}
}

// TestEmitterStopWaits: after Stop, no part of the emitter is running.
func TestEmitterStopWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, ended := false, false
		config := Policy{After: time.Second, Sent: func(*http.Request, http.Header) {
			begun = true
			time.Sleep(time.Minute) // virtual
			ended = true
		}}
		r := wiretest.RequestOn(t, &http.Server{})
		e := NewResponse(wiretest.New(), r, 0, nil).Start(Emission{Request: r, Policy: &config, Grant: &Grant{Limit: unlimited}, Monitor: new(memberCount)})
		time.Sleep(2 * time.Second) // virtual
		e.Stop()
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
			config: Policy{After: time.Duration(after%10_000) * ms, Every: time.Duration(1+every%10_000) * ms},
			grant:  Grant{Limit: 1000},
			length: time.Duration(length%100_000) * ms,
			change: time.Duration(change%1000) * ms,
		}
		if p.config.After == 0 {
			p.config.After = -1
		}
		got := len(p.play(t).Interims())
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
	return min(1+int((age-first)/p.config.Every), p.grant.Limit)
}

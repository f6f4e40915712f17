package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// trialTimeout ends a trial that a server hangs in.
const trialTimeout = 2 * time.Minute

// What there is for all works, from the start; each gets its part.
const (
	quickTime = 150 * time.Second
	wholeTime = 13 * time.Minute
)

// outcome is what one server, or floor, has made of one work.
type outcome struct {
	samples [][]time.Duration // for each measure, those of all rounds
	cpu     time.Duration     // of all rounds
	peak    int64             // bytes, the most of any round
	interim int               // responses, of all rounds
	failure string            // what it did instead
}

// run is a measurement under way.
type run struct {
	*place
	servers *servers
	rounds  int
	end     time.Time // when it should be over; zero: when it is
	// results are those of each work, by the name of the server or floor.
	results map[*work]map[string]*outcome
	remarks []string
}

// measure runs all chosen works and prints the report.
func measure(ctx context.Context, o *options, p *place) (err error) {
	begin, busy := time.Now(), load()
	logf("building davd")
	if err := errors.Join(buildDavd(ctx, p), installSelf(p)); err != nil {
		return err
	}
	works := o.works()
	logf("planting the trees")
	if err := plant(p, works); err != nil {
		return err
	}
	all, err := startServers(ctx, p, o.peers())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.stop()) }()
	r := &run{place: p, servers: all, rounds: o.rounds, end: begin.Add(wholeTime), results: map[*work]map[string]*outcome{}}
	if o.quick {
		r.end = begin.Add(quickTime)
	}
	for i, w := range works {
		logf("%s", w.name)
		if err := r.work(ctx, w, r.until(len(works)-i)); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	if err := r.report(os.Stdout, works, begin, busy); err != nil {
		return err
	}
	return r.davdFailures()
}

func logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

// entrant takes part in a work: a server, or a floor.
type entrant struct {
	name   string
	server *server // nil: none
	do     func(context.Context, *trial) ([]time.Duration, error)
	floor  bool
}

// entrants are those of w; alone is the davd that does it alone, or nil.
func (r *run) entrants(w *work, alone *server) []entrant {
	var all []entrant
	if alone != nil {
		all = append(all, entrant{name: davdName, server: alone, do: w.do})
	} else {
		for _, s := range r.servers.peers {
			all = append(all, entrant{name: s.peer.name, server: s, do: w.do})
		}
	}
	for _, f := range w.floors {
		e := entrant{name: f.name, do: f.do, floor: true}
		if f.empty {
			e.server = r.servers.empty
		}
		all = append(all, e)
	}
	return all
}

// until is when the next of so many works should be over.
func (r *run) until(works int) time.Time {
	if r.end.IsZero() {
		return time.Time{}
	}
	now := time.Now()
	return now.Add(r.end.Sub(now) / time.Duration(works))
}

// work does w in rounds, as many as there is time for, and one at least. Who
// begins changes, and who follows whom does not.
func (r *run) work(ctx context.Context, w *work, until time.Time) (err error) {
	var alone *server
	if w.alone {
		if alone, err = startPeer(ctx, r.place, davdAlone(w.flags)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, alone.stop()) }()
	}
	all := r.entrants(w, alone)
	results := map[string]*outcome{}
	for _, e := range all {
		results[e.name] = &outcome{samples: make([][]time.Duration, len(w.measures))}
	}
	r.results[w] = results
	for round := range r.rounds {
		if round > 0 && !until.IsZero() && time.Now().After(until) {
			break
		}
		for i := range all {
			e := all[(i+round)%len(all)]
			for range max(w.repeat, 1) {
				if err := r.try(ctx, w, e, results[e.name]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// try is one trial. Its error is one of this program; the server's are in the
// outcome.
func (r *run) try(ctx context.Context, w *work, e entrant, result *outcome) error {
	if result.failure != "" {
		return nil
	}
	t := &trial{place: r.place, server: e.server}
	err := r.attempt(ctx, w, e, t, result)
	result.interim += t.disconnect()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e.server != nil {
		err = errors.Join(err, e.server.ended())
	}
	if err != nil && e.floor {
		return fmt.Errorf("%s: %w", e.name, err)
	}
	if err != nil {
		result.failure = failure(err)
		logf("  %s: %v", e.name, err)
		if !answered(err) || e.server.ended() != nil {
			if err := e.server.restart(ctx, r.place); err != nil {
				return err
			}
		}
	}
	if w.after != nil {
		if err := w.after(t); err != nil {
			return err
		}
	}
	left, err := t.leftovers()
	if len(left) > 0 {
		r.remark(fmt.Sprintf("%s left %s behind (%s)", e.name, strings.Join(left, ", "), w.name))
	}
	return err
}

// attempt prepares, does, measures and checks.
func (r *run) attempt(ctx context.Context, w *work, e entrant, t *trial, result *outcome) error {
	ctx, cancel := context.WithTimeout(ctx, trialTimeout)
	defer cancel()
	if w.before != nil {
		if err := w.before(t); err != nil {
			return err
		}
	}
	if w.writes {
		if err := syncFilesystem(t.share); err != nil {
			return err
		}
	}
	var before usage
	if e.server != nil {
		if err := t.connect(ctx, w.conns); err != nil {
			return err
		}
		resetPeak(t.pid())
		before = used(t.pid())
	}
	samples, err := e.do(ctx, t)
	if err != nil {
		return err
	}
	if e.server != nil {
		after := used(t.pid())
		result.cpu += after.cpu - before.cpu
		result.peak = max(result.peak, after.peak)
	}
	if w.check != nil {
		if err := w.check(t); err != nil {
			return err
		}
	}
	for i, d := range samples {
		result.samples[i] = append(result.samples[i], d)
	}
	return nil
}

// remark keeps a line for the report, once.
func (r *run) remark(line string) {
	if !slices.Contains(r.remarks, line) {
		r.remarks = append(r.remarks, line)
	}
}

// davdFailures is an error if davd has not done a work.
func (r *run) davdFailures() error {
	var errs []error
	for w, results := range r.results {
		for _, p := range []*peer{davd(), davdInterim()} {
			if o := results[p.name]; o != nil && o.failure != "" {
				errs = append(errs, fmt.Errorf("%s: %s: %s", p.name, w.name, o.failure))
			}
		}
	}
	return errors.Join(errs...)
}

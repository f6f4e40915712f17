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

// trialTimeout is how long a trial may take, in case a server hangs.
const trialTimeout = 2 * time.Minute

// The time for all works, measured from the start of the run. Each work gets a share.
const (
	quickTime = 150 * time.Second
	wholeTime = 13 * time.Minute
)

// outcome is the result of one server, or floor, for one work.
type outcome struct {
	samples [][]time.Duration // for each measure, the samples of all rounds
	cpu     time.Duration     // processor time of all rounds
	peak    int64             // highest resident size of any round, in bytes
	interim int               // number of interim responses in all rounds
	failure string            // the failure as shown in the table, or ""
}

// run is a running measurement.
type run struct {
	*place
	servers *servers
	rounds  int
	end     time.Time // when it should end; zero means no limit
	// results has the outcomes of each work, by the name of the server or floor.
	results map[*work]map[string]*outcome
	remarks []string
}

// measure runs the selected works and prints the report.
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

// entrant is a server or a floor that takes part in a work.
type entrant struct {
	name   string
	server *server // nil for a floor without a server
	do     func(context.Context, *trial) ([]time.Duration, error)
	floor  bool
}

// entrants returns the entrants of w. alone is the davd that does w alone, or nil.
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

// until returns when the next work should end if this number of works remains.
func (r *run) until(works int) time.Time {
	if r.end.IsZero() {
		return time.Time{}
	}
	now := time.Now()
	return now.Add(r.end.Sub(now) / time.Duration(works))
}

// work does w in as many rounds as there is time for, but at least one. Each round begins with
// another entrant; the order is always the same.
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

// try runs one trial. A failure of the server is recorded in the outcome, and not returned as an
// error.
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

// attempt prepares, measures and checks one trial.
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

// remark adds a line to the report, unless it is already there.
func (r *run) remark(line string) {
	if !slices.Contains(r.remarks, line) {
		r.remarks = append(r.remarks, line)
	}
}

// davdFailures returns an error if davd has failed at a work.
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

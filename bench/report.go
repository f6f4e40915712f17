package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// report writes the tables, with a description of the machine, the versions and remarks.
func (r *run) report(w io.Writer, works []*work, begin time.Time, busy float64) error {
	rounds := strconv.Itoa(r.rounds) + " rounds"
	if r.rounds == 1 {
		rounds = "one round"
	}
	if !r.end.IsZero() && r.rounds > 1 {
		rounds = "up to " + rounds
	}
	fmt.Fprintf(w, "davd and its peers side by side: %s; %d cores, %s; data on %s. Median of %s, the servers interleaved, over loopback, plain HTTP/1.1, without a log, with a warm page cache. ",
		begin.Format(time.DateOnly), runtime.NumCPU(), kernel(), r.about, rounds)
	fmt.Fprintf(w, "× is a server's time divided by davd's: above 1, davd is faster.\n\n%s.\n\n", r.versions())
	for _, t := range []*table{r.times("Medians", works, median), r.times("Minima", works, least), r.costs(works)} {
		if err := t.writeTo(w); err != nil {
			return err
		}
	}
	for _, line := range append(r.peerRemarks(), r.remarks...) {
		fmt.Fprintf(w, "- %s.\n", line)
	}
	if cores := float64(runtime.NumCPU()); busy > cores/4 {
		fmt.Fprintf(w, "- The machine was busy at the start (load %.1f on %.0f cores): don't trust the figures.\n", busy, cores)
	}
	_, err := fmt.Fprintf(w, "\nIt took %v.\n", time.Since(begin).Round(time.Second))
	return err
}

func (r *run) versions() string {
	var all []string
	for _, s := range r.servers.peers {
		if s.peer.name != davdInterim().name {
			all = append(all, s.peer.name+" "+s.about)
		}
	}
	return strings.Join(append(all, runtime.Version()), ", ")
}

// times returns a table of one statistic of the samples.
func (r *run) times(title string, works []*work, statistic func([]time.Duration) time.Duration) *table {
	t := &table{title: title, columns: append([]string{"work", "floor"}, r.names()...)}
	for _, w := range works {
		statistic := statistic
		if w.best {
			statistic = least
		}
		for i, m := range w.measures {
			name := w.name
			if m.name != "" {
				name += ": " + m.name
			}
			own := statistic(r.results[w][davdName].samples[i])
			cells := []string{name, r.floorCell(w, i, own, statistic)}
			for _, server := range r.names() {
				cells = append(cells, timeCell(r.results[w][server], i, m.unit, own, statistic, server == davdName))
			}
			t.add(cells...)
		}
	}
	return t
}

// timeCell returns a figure with its ratio to davd's, or the failure. It is empty for a server
// that did not take part.
func timeCell(o *outcome, i int, u unit, own time.Duration, statistic func([]time.Duration) time.Duration, isOwn bool) string {
	if o == nil {
		return ""
	}
	if o.failure != "" {
		return o.failure
	}
	d := statistic(o.samples[i])
	if isOwn {
		return "**" + u.format(d) + "**"
	}
	return strings.TrimSpace(u.format(d) + " " + ratio(d, own))
}

// floorCell returns all floors of a work. Floors only have the first measure.
func (r *run) floorCell(w *work, i int, own time.Duration, statistic func([]time.Duration) time.Duration) string {
	if i > 0 {
		return ""
	}
	var all []string
	for _, f := range w.floors {
		all = append(all, f.name+" "+timeCell(r.results[w][f.name], i, w.measures[i].unit, own, statistic, false))
	}
	return strings.Join(all, "; ")
}

// costs returns the table of the processor time and memory that each work cost a server.
func (r *run) costs(works []*work) *table {
	t := &table{title: "Processor time of the server, and its peak resident size", columns: append([]string{"work"}, r.names()...)}
	for _, w := range works {
		cells := []string{w.name}
		for _, server := range r.names() {
			cells = append(cells, costCell(r.results[w][server]))
		}
		t.add(cells...)
	}
	return t
}

// costCell returns the mean processor time of a trial, with the resolution of the clock's tick,
// the peak resident size, and the number of interim responses.
func costCell(o *outcome) string {
	if o == nil {
		return ""
	}
	n := len(o.samples[0])
	if o.failure != "" || n == 0 {
		return "–"
	}
	cpu := o.cpu / time.Duration(n)
	text := "< 10 ms"
	if cpu >= tick {
		text = unit{}.format(cpu)
	}
	text += fmt.Sprintf(", %.0f MiB", float64(o.peak)/mib)
	if o.interim > 0 {
		text += fmt.Sprintf(", %s × 102", thousands(int64(math.Ceil(float64(o.interim)/float64(n)))))
	}
	return text
}

func (r *run) names() []string {
	var names []string
	for _, s := range r.servers.peers {
		names = append(names, s.peer.name)
	}
	return names
}

func (r *run) peerRemarks() []string {
	var lines []string
	for _, s := range r.servers.peers {
		if s.remark != "" {
			lines = append(lines, s.remark)
		}
	}
	return lines
}

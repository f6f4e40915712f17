package main

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"
)

const (
	probes     = 4 // connections for each kind of small request
	probeEvery = 5 * time.Millisecond
)

// smallRequest is a request that other clients send while long requests run.
type smallRequest struct {
	name string
	send func(context.Context, *client) error
}

var smallRequests = []smallRequest{{"GET 1 KiB", getSmall}, {"PROPFIND 0", propfindSmall}}

// longRequests are the long requests that run meanwhile, each with its own tree.
type longRequests struct {
	names []string // of the trees
	send  func(name string) func(context.Context, *trial) error
	// before prepares one tree, and check checks it.
	before, check func(t *trial, name string) error
}

func probeWorks() []*work {
	copies := longRequests{
		send:  copyCollection,
		check: func(t *trial, name string) error { return checkTree(t.in(manyName), t.in(name), many) },
	}
	deletions := longRequests{
		send:   deleteCollection,
		before: plantCopy,
		check:  func(t *trial, name string) error { return gone(t.in(name)) },
	}
	return []*work{
		copies.times(1, "one COPY of 10,000 files runs"), copies.times(8, "eight COPYs of 10,000 files run"),
		deletions.times(1, "one DELETE of 10,000 files runs"), deletions.times(8, "eight DELETEs of 10,000 files run"),
	}
}

// times returns the work of running n of them at the same time.
func (l longRequests) times(n int, text string) *work {
	for i := range n {
		l.names = append(l.names, copyName+strconv.Itoa(i))
	}
	w := &work{
		name: "while " + text, reads: []string{manyName}, writes: true, long: n > 1,
		conns: probes*len(smallRequests) + n,
		do:    l.probe,
		check: l.each(l.check),
		after: func(t *trial) error { return t.remove(l.names...) },
	}
	if l.before != nil {
		w.before = l.each(l.before)
	}
	for _, small := range smallRequests {
		w.measures = append(w.measures, metric{name: small.name + ", longest"}, metric{name: small.name + ", 99 %"})
	}
	w.measures = append(w.measures, metric{name: "until that has ended"})
	return w
}

// each returns a function that calls do for each tree.
func (l longRequests) each(do func(t *trial, name string) error) func(*trial) error {
	return func(t *trial) error {
		for _, name := range l.names {
			if err := do(t, name); err != nil {
				return err
			}
		}
		return nil
	}
}

// probe returns the longest time and the 99th percentile for each small request, and then the
// time of the long requests.
func (l longRequests) probe(ctx context.Context, t *trial) ([]time.Duration, error) {
	done := make(chan struct{})
	answers := make([][]time.Duration, probes*len(smallRequests))
	errs := make([]error, len(t.clients))
	var probing, running sync.WaitGroup
	for i := range answers {
		probing.Go(func() { answers[i], errs[i] = probe(ctx, t.clients[i], smallRequests[i/probes].send, done) })
	}
	time.Sleep(4 * probeEvery) // begin before the long requests, to notice a server that blocks immediately
	start := time.Now()
	for i, name := range l.names {
		conn := len(answers) + i
		one := &trial{place: t.place, server: t.server, clients: t.clients[conn : conn+1]}
		running.Go(func() { errs[conn] = l.send(name)(ctx, one) })
	}
	running.Wait()
	took := time.Since(start)
	close(done)
	probing.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	var figures []time.Duration
	for i := 0; i < len(answers); i += probes {
		var all []time.Duration
		for _, some := range answers[i : i+probes] {
			all = append(all, some...)
		}
		figures = append(figures, quantile(all, 1), quantile(all, 0.99))
	}
	return append(figures, took), nil
}

// probe sends small requests at even intervals until done is closed. While an answer is late,
// the following requests have to wait. Their times count from when they were due, as for a
// client that waits.
func probe(ctx context.Context, c *client, send func(context.Context, *client) error, done <-chan struct{}) ([]time.Duration, error) {
	var answers []time.Duration
	due := time.Now()
	free := due
	for {
		select {
		case <-done:
			return answers, nil
		case <-time.After(time.Until(due)):
		}
		start := time.Now()
		if free.After(due) {
			start = due
		}
		if err := send(ctx, c); err != nil {
			return answers, err
		}
		free = time.Now()
		answers = append(answers, free.Sub(start))
		due = due.Add(probeEvery)
	}
}

// plantCopy creates a copy of the tree, which a work will delete.
func plantCopy(t *trial, name string) error {
	return errors.Join(copyTree(t.in(manyName), t.in(name), 2), t.owner.giveTree(t.in(name)))
}

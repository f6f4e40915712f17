package main

import (
	"context"
	"strconv"
	"sync"
	"time"
)

const (
	probes     = 4 // connections that ask while copies run
	probeEvery = 5 * time.Millisecond
)

func latencyWorks() []*work {
	return []*work{
		latencyWork("GET 1 KiB while one COPY of 10,000 files runs", 1, false),
		latencyWork("GET 1 KiB while eight such COPYs run", 8, true),
	}
}

// latencyWork copies the tree so many times at once, and asks for a small file
// all the while.
func latencyWork(name string, copies int, long bool) *work {
	var names []string
	for i := range copies {
		names = append(names, copyName+strconv.Itoa(i))
	}
	return &work{
		name: name, reads: []string{manyName}, conns: probes + copies, writes: true, long: long,
		measures: []metric{{name: "longest"}, {name: "99 %"}, {name: "the COPY itself"}},
		do: func(ctx context.Context, t *trial) ([]time.Duration, error) {
			return t.probeWhile(ctx, names)
		},
		check: func(t *trial) error {
			for _, name := range names {
				if err := checkTree(t.in(manyName), t.in(name), many); err != nil {
					return err
				}
			}
			return nil
		},
		after: func(t *trial) error { return t.remove(names...) },
	}
}

// probeWhile returns the longest answer, the one that 99 % are shorter than,
// and the time of the copies.
func (t *trial) probeWhile(ctx context.Context, names []string) ([]time.Duration, error) {
	done := make(chan struct{})
	answers := make([][]time.Duration, probes)
	errs := make([]error, probes+len(names))
	var probing, copying sync.WaitGroup
	for i := range probes {
		probing.Go(func() { answers[i], errs[i] = probe(ctx, t.clients[i], done) })
	}
	time.Sleep(4 * probeEvery) // a server that blocks is seen from the first byte on
	start := time.Now()
	for i, name := range names {
		one := &trial{place: t.place, server: t.server, clients: t.clients[probes+i : probes+i+1]}
		copying.Go(func() { errs[probes+i] = copyCollection(name)(ctx, one) })
	}
	copying.Wait()
	took := time.Since(start)
	close(done)
	probing.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	var all []time.Duration
	for _, some := range answers {
		all = append(all, some...)
	}
	return []time.Duration{quantile(all, 1), quantile(all, 0.99), took}, nil
}

// probe asks for the small file at even intervals until done. An answer that
// is late makes those late that were due meanwhile: they are counted from when
// they were due, as a client that waits would.
func probe(ctx context.Context, c *client, done <-chan struct{}) ([]time.Duration, error) {
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
		if err := getSmall(ctx, c); err != nil {
			return answers, err
		}
		free = time.Now()
		answers = append(answers, free.Sub(start))
		due = due.Add(probeEvery)
	}
}

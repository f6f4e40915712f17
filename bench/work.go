package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"
)

// work is one thing that every server does.
type work struct {
	name     string
	measures []metric // what do measures, the work's own time as a rule
	reads    []string // what of the share has to be there
	conns    int      // connections, made before the time begins (0: one)
	repeat   int      // samples in each round (0: one)
	long     bool     // not for the quick mode
	writes   bool     // the filesystem is synced first
	best     bool     // its figure is the minimum, in the table of medians too
	alone    bool     // davd does it alone, in a process of its own
	flags    []string // of that davd

	// before and after are not timed; after runs whatever went wrong.
	before, after func(*trial) error
	// do does the work on a server: one time for each measure.
	do func(context.Context, *trial) ([]time.Duration, error)
	// check wants the work to be done.
	check  func(*trial) error
	floors []floor
}

// metric is a row of the table.
type metric struct {
	name string // behind the work's; empty: the work's own time
	unit unit
}

// floor does a work without a server, or on the empty handler.
type floor struct {
	name  string
	do    func(context.Context, *trial) ([]time.Duration, error)
	empty bool
}

// trial is a work under way on one server, or none.
type trial struct {
	*place
	*server
	clients []*client
}

// connect makes the trial's connections, and tries each.
func (t *trial) connect(ctx context.Context, n int) error {
	for range max(n, 1) {
		c, err := dial(ctx, t.addr)
		if err != nil {
			return err
		}
		t.clients = append(t.clients, c)
		if _, err := c.do(ctx, "OPTIONS", "/", nil, nil, skip, false); err != nil {
			return err
		}
	}
	return nil
}

// disconnect returns how many interim responses there were.
func (t *trial) disconnect() int {
	interim := 0
	for _, c := range t.clients {
		c.close()
		interim += c.interim
	}
	t.clients = nil
	return interim
}

// request is one on the first connection.
func (t *trial) request(ctx context.Context, method, path string, header []string, body string, read reader) (answer, error) {
	return t.clients[0].do(ctx, method, path, header, []byte(body), read, method == "PROPFIND")
}

// url is what Destination needs.
func (t *trial) url(path string) string { return "http://" + t.addr + path }

// remove takes names out of the share.
func (t *trial) remove(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, os.RemoveAll(t.in(name)))
	}
	return errors.Join(errs...)
}

// leftovers are names in the share that nobody has put there, and takes them
// away.
func (t *trial) leftovers() ([]string, error) {
	entries, err := os.ReadDir(t.share)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		if !isPlanted(e.Name()) {
			found = append(found, e.Name())
		}
	}
	return found, t.remove(found...)
}

// timed is the do of a work that is one thing.
func timed(do func(context.Context, *trial) error) func(context.Context, *trial) ([]time.Duration, error) {
	return func(ctx context.Context, t *trial) ([]time.Duration, error) {
		start := time.Now()
		err := do(ctx, t)
		return []time.Duration{time.Since(start)}, err
	}
}

// The units of the first measure.
var seconds = []metric{{}}

func allWorks() []*work {
	return slices.Concat(copyWorks(), removeWorks(), moveWorks(), propfindWorks(), getWorks(), putWorks(), probeWorks(), slowWorks(), disconnectWorks())
}

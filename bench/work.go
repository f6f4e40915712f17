package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"
)

// work is a task that every server does.
type work struct {
	name     string
	measures []metric // the measures that do returns, usually the time of the work
	reads    []string // the names in the share that it needs
	conns    int      // connections, opened before the time starts; 0 means one
	repeat   int      // samples in each round; 0 means one
	long     bool     // omitted in quick mode
	writes   bool     // the filesystem is synced first
	best     bool     // the table of medians shows its minimum as well
	alone    bool     // only davd does it, in a separate process
	flags    []string // additional flags of that davd

	// before and after are not timed. after also runs if the work failed.
	before, after func(*trial) error
	// do does the work on a server. It returns a time for each measure.
	do func(context.Context, *trial) ([]time.Duration, error)
	// check returns an error if the work was not done.
	check  func(*trial) error
	floors []floor
}

// metric is a row of the table.
type metric struct {
	name string // shown after the work's name; empty for the time of the work
	unit unit
}

// floor does a work without a server, or with the empty handler. Its time is a lower limit.
type floor struct {
	name  string
	do    func(context.Context, *trial) ([]time.Duration, error)
	empty bool
}

// trial is a running work, on one server or none.
type trial struct {
	*place
	*server
	clients []*client
}

// connect opens n connections, and sends a request on each.
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

// disconnect closes the connections. It returns how many interim responses came on them.
func (t *trial) disconnect() int {
	interim := 0
	for _, c := range t.clients {
		c.close()
		interim += c.interim
	}
	t.clients = nil
	return interim
}

// request sends a request on the first connection.
func (t *trial) request(ctx context.Context, method, path string, header []string, body string, read reader) (answer, error) {
	return t.clients[0].do(ctx, method, path, header, []byte(body), read, method == "PROPFIND")
}

// url returns the absolute URL of path, for the Destination header.
func (t *trial) url(path string) string { return "http://" + t.addr + path }

// remove removes names from the share.
func (t *trial) remove(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, os.RemoveAll(t.in(name)))
	}
	return errors.Join(errs...)
}

// leftovers returns the names in the share that plant did not create, and removes them.
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

// timed returns the do function of a work that only measures the time of do.
func timed(do func(context.Context, *trial) error) func(context.Context, *trial) ([]time.Duration, error) {
	return func(ctx context.Context, t *trial) ([]time.Duration, error) {
		start := time.Now()
		err := do(ctx, t)
		return []time.Duration{time.Since(start)}, err
	}
}

// seconds is the usual measure: the time of the work, in seconds.
var seconds = []metric{{}}

func allWorks() []*work {
	return slices.Concat(copyWorks(), removeWorks(), moveWorks(), propfindWorks(), getWorks(), putWorks(), probeWorks(), slowWorks(), disconnectWorks())
}

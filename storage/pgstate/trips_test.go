package pgstate

import (
	"testing"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// TestRoundTrips: how often a call waits for the database. docs/cluster.md calculates with it.
func TestRoundTrips(t *testing.T) {
	db := member(t, pgtest.Database(t), Options{})
	isQuiet(t, db)
	var c cluster.Claim
	var l lock.Lock
	var err error
	w := tree("/a", "/b")
	w.Operation = &cluster.Operation{Key: [32]byte{1}, Record: history.Record{ID: "x", Method: "MOVE", State: history.Running}}
	ended := &cluster.Result{Record: history.Record{ID: "x", Method: "MOVE", State: history.Finished, Ended: time.Now()}}
	for _, step := range []struct {
		call string
		want int64
		do   func()
	}{
		{"Claim", 2, func() { c, err = db.Cluster().Claim(t.Context(), tree("/a")) }},
		{"SaveRecord", 1, func() { err = db.Journal().SaveRecord(t.Context(), c.ID(), []byte("record")) }},
		{"End", 1, func() { err = c.End(t.Context(), nil) }},
		{"Claim with an operation", 2, func() { c, err = db.Cluster().Claim(t.Context(), w) }},
		{"Report", 1, func() { _, _, err = db.Cluster().Operations().Report(t.Context(), w.Operation.Record) }},
		{"End with a result", 2, func() { err = c.End(t.Context(), ended) }},
		{"Placing", 1, func() { _, err = db.Cluster().Placing(t.Context(), "/a") }},
		{"Find of an operation", 1, func() { _, _ = db.Cluster().Operations().Find(t.Context(), [32]byte{1}) }},
		{"Acquire", 2, func() {
			l, err = db.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/a", Duration: time.Hour})
		}},
		{"Find of locks", 1, func() { _, err = db.Locks().Find(t.Context(), time.Now(), "/a", true) }},
		{"Renew", 2, func() { _, err = db.Locks().Renew(t.Context(), time.Now(), l.Token, time.Hour) }},
		{"Release", 2, func() { err = db.Locks().Release(t.Context(), time.Now(), l.Token) }},
		{"ReleaseTree without locks", 1, func() { err = db.Locks().ReleaseTree(t.Context(), time.Now(), "/a") }},
	} {
		before := db.figures.trips.Load()
		step.do()
		if err != nil {
			t.Fatalf("%s: %v", step.call, err)
		}
		if got := db.figures.trips.Load() - before; got != step.want {
			t.Errorf("%s: %d round trips, want %d", step.call, got, step.want)
		}
	}
}

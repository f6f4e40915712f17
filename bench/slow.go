package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/davd/davd/storage/tree"
)

// slowDelay is added to each storage call.
const slowDelay = time.Millisecond

// slowCalls is how many storage calls a listing of the slow tree makes: one to look up the root,
// one for each collection including the root, and one for each member.
var slowCalls = 1 + 1 + slow.collections + slow.members() - 1

// slowWorks returns the works on slow storage, where each call takes as long as over a network.
func slowWorks() []*work {
	l := listing{what: "PROPFIND infinity of 1,000 files, with 1 ms more for each storage call", name: slowName, depth: "infinity", members: slow.members(), alone: true}
	w := l.work("4 properties", namedBody)
	w.flags = []string{"--latency", slowDelay.String()}
	workers := new(tree.Workers).Limit()
	w.floors = []floor{{
		name: fmt.Sprintf("%s calls ÷ %d workers", thousands(int64(slowCalls)), workers),
		do: timed(func(context.Context, *trial) error {
			waitInTurns(slowCalls, workers)
			return nil
		}),
	}}
	return []*work{w}
}

// waitInTurns waits calls times for slowDelay, with this number of workers at a time.
func waitInTurns(calls, workers int) {
	var waiting sync.WaitGroup
	for i := range workers {
		waiting.Go(func() {
			for j := i; j < calls; j += workers {
				time.Sleep(slowDelay)
			}
		})
	}
	waiting.Wait()
}

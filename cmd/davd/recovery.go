package main

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/davd/davd/storage/strays"
	"github.com/davd/davd/storage/tree"
)

// logRecovered logs what was left of a davd that was killed, and what became of it.
func logRecovered(ctx context.Context, log *slog.Logger, recovered []tree.Recovery) {
	for _, r := range recovered {
		about := []any{"method", r.Entry.Method, "source", r.Entry.Source, "result", string(r.Result)}
		if r.Entry.Destination != "" {
			about = append(about, "destination", r.Entry.Destination)
		}
		if r.Err != nil {
			log.WarnContext(ctx, "can't recover from a killed operation", append(about, "err", r.Err)...)
			continue
		}
		log.InfoContext(ctx, "recovered from a killed operation", about...)
	}
}

// countLeft returns how many operations could not be recovered.
func countLeft(recovered []tree.Recovery) (left int) {
	for _, r := range recovered {
		if r.Result == tree.Left {
			left++
		}
	}
	return left
}

// The times between attempts to recover what is left, while nothing suggests that it could
// succeed.
const (
	firstRetry   = 10 * time.Second
	longestRetry = 10 * time.Minute
)

// recoverLater recovers the operations that are left when their shares are available again,
// until stop is called.
func (s *site) recoverLater(ctx context.Context) (stop func()) {
	if s.namespace == nil {
		return func() {}
	}
	return background(ctx, func(ctx context.Context) {
		wait := firstRetry
		for {
			var retry <-chan time.Time
			if s.left > 0 {
				retry = time.After(wait)
			}
			select {
			case <-ctx.Done():
				return
			case <-s.again:
				wait = firstRetry
			case <-retry:
				wait = min(2*wait, longestRetry)
			}
			if s.left > 0 {
				s.retryRecovery(ctx)
			}
		}
	})
}

// retryRecovery tries to recover what is left. It logs only what is new.
func (s *site) retryRecovery(ctx context.Context) {
	s.reloading.Lock()
	handler := s.handler
	s.reloading.Unlock()
	recovered, err := handler.Recover(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "can't recover from a killed operation; davd will try again", "err", err)
		return
	}
	s.left = countLeft(recovered)
	logRecovered(ctx, s.log, slices.DeleteFunc(recovered, func(r tree.Recovery) bool { return r.Result == tree.Left }))
}

// sweptAsRecovered returns unfinished uploads as operations that were recovered.
func sweptAsRecovered(swept []strays.Swept) []tree.Recovery {
	undone := make([]tree.Recovery, 0, len(swept))
	for _, each := range swept {
		r := tree.Recovery{
			Entry:  tree.Entry{Method: http.MethodPut, State: tree.Staging, Source: each.Name, Stage: each.Name},
			Result: tree.Undone,
		}
		if each.Err != nil {
			r.Result, r.Err = tree.Left, each.Err
		}
		undone = append(undone, r)
	}
	return undone
}

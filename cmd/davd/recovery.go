package main

import (
	"context"
	"log/slog"
	"net/http"

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

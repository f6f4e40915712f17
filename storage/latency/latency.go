// Package latency makes a storage slow, to demonstrate and test slow storage.
package latency

import (
	"context"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/intercept"
)

// New returns fsys made slow. Each call of fsys or of one of its files first waits for
// delay, or until ctx ends. Listing a collection counts as one call plus one for each
// member, because each member comes with its metadata. Copying or removing members counts
// as one call for each. If fsys lacks a capability, its fallback is made of calls that wait.
func New(fsys storage.FS, delay time.Duration) storage.FS {
	if delay <= 0 {
		return fsys
	}
	free := map[string]bool{"close": true, "seek": true, "discard": true, "next": true, "exchanged": true, "hold": true}
	// A DeadPropsReader is quick, because it opens no file.
	_, free["readdeadprops"] = fsys.(storage.DeadPropsReader)
	return intercept.New(fsys, func(ctx context.Context, op, _ string) error {
		if free[op] {
			return nil
		}
		return wait(ctx, delay)
	})
}

// wait waits for delay. If ctx ends first, it returns the error of ctx.
func wait(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

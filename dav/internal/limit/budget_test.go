package limit

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav/internal/status"
)

// TestByteBudget: a request that doesn't fit waits for room, or gets a 503 after some
// time. A request larger than the whole budget runs alone.
func TestByteBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Budget
		if !b.TryTake(60, 100) || b.TryTake(41, 100) || !b.TryTake(40, 100) {
			t.Error("60 and 40 are 100, 41 is too much")
		}
		start := time.Now()
		if err := b.Take(t.Context(), 1, 100, time.Second); status.Of(err) != 503 || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Take(cancelled, 1, 100, time.Second); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
		waits := make(chan error)
		for range 2 {
			go func() { waits <- b.Take(t.Context(), 50, 100, time.Minute) }()
		}
		time.Sleep(time.Second)
		b.GiveBack(60)
		if err := <-waits; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		select {
		case err := <-waits:
			t.Errorf("there was no room for the second one: %v", err)
		default:
		}
		b.GiveBack(50)
		if err := <-waits; err != nil {
			t.Error(err)
		}
		go func() { waits <- b.Take(t.Context(), 1000, 100, time.Minute) }()
		b.GiveBack(40)
		synctest.Wait()
		b.GiveBack(50)
		if err := <-waits; err != nil {
			t.Error(err)
		}
		if b.TryTake(1, 100) {
			t.Error("there was room beside what is larger than all")
		}
		b.GiveBack(1000)
		if b.used != 0 {
			t.Errorf("%d bytes are left", b.used)
		}
	})
}

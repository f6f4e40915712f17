package dav

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
		var b byteBudget
		if !b.tryTake(60, 100) || b.tryTake(41, 100) || !b.tryTake(40, 100) {
			t.Error("60 and 40 are 100, 41 is too much")
		}
		start := time.Now()
		if err := b.take(t.Context(), 1, 100, time.Second); status.Of(err) != 503 || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.take(cancelled, 1, 100, time.Second); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
		waits := make(chan error)
		for range 2 {
			go func() { waits <- b.take(t.Context(), 50, 100, time.Minute) }()
		}
		time.Sleep(time.Second)
		b.giveBack(60)
		if err := <-waits; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		select {
		case err := <-waits:
			t.Errorf("there was no room for the second one: %v", err)
		default:
		}
		b.giveBack(50)
		if err := <-waits; err != nil {
			t.Error(err)
		}
		go func() { waits <- b.take(t.Context(), 1000, 100, time.Minute) }()
		b.giveBack(40)
		synctest.Wait()
		b.giveBack(50)
		if err := <-waits; err != nil {
			t.Error(err)
		}
		if b.tryTake(1, 100) {
			t.Error("there was room beside what is larger than all")
		}
		b.giveBack(1000)
		if b.used != 0 {
			t.Errorf("%d bytes are left", b.used)
		}
	})
}

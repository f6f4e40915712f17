package tree

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlotsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := newSlots(1)
		first, second := slot{of: free}, slot{of: free}
		first.acquire(t.Context())
		got := make(chan time.Duration)
		start := time.Now()
		go func() {
			second.acquire(t.Context())
			got <- time.Since(start)
		}()
		time.Sleep(slotPatience / 2)
		first.release()
		if waited := <-got; waited != slotPatience/2 || !second.held {
			t.Errorf("the second waited %v and has its slot: %t; want %v", waited, second.held, slotPatience/2)
		}
		second.release()
		if !free.TryAcquire(1) {
			t.Error("the slot is still taken")
		}
	})
}

// Storage that hangs must not stop the work on other shares.
func TestSlotPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := newSlots(1)
		hangs, waits := slot{of: free}, slot{of: free}
		hangs.acquire(t.Context())
		start := time.Now()
		waits.acquire(t.Context())
		if waited := time.Since(start); waited != slotPatience || waits.held {
			t.Errorf("waited %v and has a slot: %t; want %v and none", waited, waits.held, slotPatience)
		}
		waits.release()
		if free.TryAcquire(1) {
			t.Error("one that had no slot has given one back")
		}
	})
}

func TestSlotEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := newSlots(1)
		busy, waits := slot{of: free}, slot{of: free}
		busy.acquire(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		start := time.Now()
		waits.acquire(ctx)
		if waited := time.Since(start); waited != time.Millisecond {
			t.Errorf("waited %v after the end of ctx", waited-time.Millisecond)
		}
	})
}

// A large file yields its slot between its chunks.
func TestSlotYields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := newSlots(1)
		large, small := slot{of: free}, slot{of: free}
		large.acquire(t.Context())
		order := make(chan string, 2)
		go func() {
			small.acquire(t.Context())
			order <- "small"
			small.release()
		}()
		synctest.Wait()
		large.yield(t.Context())
		order <- "large"
		large.release()
		if first := <-order; first != "small" {
			t.Errorf("%s went on first", first)
		}
	})
}

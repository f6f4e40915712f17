package tree

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTurnsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := &turns{limit: 1}
		first, second := turn{of: free}, turn{of: free}
		first.acquire(t.Context())
		got := make(chan time.Duration)
		start := time.Now()
		go func() {
			second.acquire(t.Context())
			got <- time.Since(start)
		}()
		time.Sleep(patience / 2)
		first.release()
		if waited := <-got; waited != patience/2 || !second.held {
			t.Errorf("the second waited %v and has its turn: %t; want %v", waited, second.held, patience/2)
		}
		second.release()
		if free.enqueue("") != nil {
			t.Error("the turn is still taken")
		}
	})
}

// Storage that hangs must not stop the work on other shares.
func TestTurnPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := &turns{limit: 1}
		hangs, waits := turn{of: free}, turn{of: free}
		hangs.acquire(t.Context())
		start := time.Now()
		waits.acquire(t.Context())
		if waited := time.Since(start); waited != patience || waits.held {
			t.Errorf("waited %v and has a turn: %t; want %v and none", waited, waits.held, patience)
		}
		waits.release()
		if free.enqueue("") == nil {
			t.Error("one that had no turn has given one back")
		}
	})
}

func TestTurnEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := &turns{limit: 1}
		busy, waits := turn{of: free}, turn{of: free}
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

// A large file yields its turn between its chunks.
func TestTurnYields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := &turns{limit: 1}
		large, small := turn{of: free}, turn{of: free}
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

// A client with many goroutines that wait does not delay the only one of another client.
func TestTurnsByClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := &turns{limit: 1}
		first := turn{of: free, client: "a"}
		first.acquire(t.Context())
		var mu sync.Mutex
		var order []string
		var all sync.WaitGroup
		for _, client := range []string{"a", "a", "a", "b", "b", "c"} {
			all.Go(func() {
				waits := turn{of: free, client: client}
				waits.acquire(t.Context())
				mu.Lock()
				order = append(order, client)
				mu.Unlock()
				waits.release()
			})
			synctest.Wait()
		}
		first.release()
		all.Wait()
		if got := strings.Join(order, ""); got != "abcaba" {
			t.Errorf("the clients had their turns in the order %s, want abcaba", got)
		}
	})
}

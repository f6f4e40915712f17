package dav_test

import (
	"fmt"
	"net"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
)

// TestLoad: of 500 operations at once each client that asked has its first interim
// response at once and its final one in the end, and nothing is left of all that.
func TestLoad(t *testing.T) {
	const clients = 500
	h := &dav.Handler{FileSystem: storage.WithLatency(plant(t), 20*time.Millisecond)}
	server := httptest.NewServer(h)
	defer server.Close()
	runtime.GC()
	before := heapAndGoroutines()

	conns := make([]net.Conn, clients)
	for i := range conns {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			t.Fatal(err)
		}
		conns[i] = conn
	}
	var running sync.WaitGroup
	outcomes := make([]outcome, clients)
	for i, conn := range conns {
		running.Go(func() {
			outcomes[i] = converse(t, conn, fmt.Sprintf("COPY /src HTTP/1.1\r\nHost: davd.test\r\nConnection: close\r\n"+
				"Prefer: processing\r\nDestination: /dst%d\r\n\r\n", i))
		})
	}
	time.Sleep(500 * time.Millisecond)
	during := heapAndGoroutines()
	running.Wait()
	var slowest time.Duration
	interims := 0
	for i, o := range outcomes {
		interims += len(o.interims)
		switch {
		case o.status != 201 || len(o.interims) == 0:
			t.Fatalf("client %d got %d after %d interim responses", i, o.status, len(o.interims))
		case o.rest != "":
			t.Errorf("client %d got %q after its answer", i, o.rest)
		}
		slowest = max(slowest, o.interims[0])
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
	server.Close()
	after := heapAndGoroutines()
	for deadline := time.Now().Add(30 * time.Second); after.goroutines > before.goroutines+5 && time.Now().Before(deadline); after = heapAndGoroutines() {
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("%d interim responses, the slowest first one after %v; goroutines %d, %d, %d; heap %d, %d, %d KiB", interims, slowest,
		before.goroutines, during.goroutines, after.goroutines, before.heap>>10, during.heap>>10, after.heap>>10)
	if slowest > 10*time.Second {
		t.Errorf("the slowest first interim response came after %v", slowest)
	}
	if during.goroutines > 8*clients {
		t.Errorf("%d goroutines while %d operations are under way", during.goroutines, clients)
	}
	if after.goroutines > before.goroutines+5 {
		t.Errorf("%d goroutines are left of %d", after.goroutines, before.goroutines)
	}
	// The copies, and a record of each operation, are in memory.
	if left := int64(after.heap) - int64(before.heap); left > 16<<20 {
		t.Errorf("%d KiB are left", left>>10)
	}
	if n := len(h.Operations()); n != 0 {
		t.Errorf("%d operations are left", n)
	}
}

type resources struct {
	goroutines int
	heap       uint64
}

func heapAndGoroutines() resources {
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return resources{runtime.NumGoroutine(), memory.HeapAlloc}
}

package tree_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/tree"
)

// BenchmarkLatency measures a GET of a small file every 2 ms, while zero, one and eight
// copies of ten thousand files run in the server. A worker in a system call keeps one
// of the runtime's processors until the runtime takes it away after some milliseconds.
// "procs+" is GOMAXPROCS raised by the number of workers.
func BenchmarkLatency(b *testing.B) {
	fsys, dir := benchTree(b, benchFileSize)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := fsys.OpenFile(r.Context(), r.URL.Path, os.O_RDONLY, 0)
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		defer f.Close()
		_, _ = io.Copy(w, f)
	}))
	defer server.Close()
	for _, copies := range []int{0, 1, 8} {
		b.Run(fmt.Sprintf("copies: %d", copies), func(b *testing.B) {
			requests(b, fsys, dir, copies, server)
		})
		b.Run(fmt.Sprintf("copies: %d, procs+", copies), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + new(tree.Workers).Limit()))
			requests(b, fsys, dir, copies, server)
		})
	}
}

// requests reports how long requests take while copies run.
func requests(b *testing.B, fsys storage.FS, dir string, copies int, server *httptest.Server) {
	b.Helper()
	stop := keepCopying(b, fsys, dir, copies)
	defer stop()
	var times []time.Duration
	for b.Loop() {
		time.Sleep(2 * time.Millisecond)
		start := time.Now()
		res, err := server.Client().Get(server.URL + "/src/000/00000.jpg")
		noError(b, err)
		_, err = io.Copy(io.Discard, res.Body)
		noError(b, err)
		noError(b, res.Body.Close())
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	for _, p := range []int{50, 90, 99, 100} {
		b.ReportMetric(times[(len(times)-1)*p/100].Seconds()*1000, fmt.Sprintf("p%d-ms", p))
	}
}

// keepCopying runs n copies again and again until the function that it returns is
// called.
func keepCopying(b *testing.B, fsys storage.FS, dir string, n int) (stop func()) {
	b.Helper()
	engine := tree.Engine{FS: fsys, Workers: new(tree.Workers)}
	var stopping atomic.Bool
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			name := fmt.Sprintf("dst%d", i)
			for !stopping.Load() {
				if err := engine.Copy(context.Background(), "/src", "/"+name, tree.Infinite, nil); err != nil {
					b.Errorf("copy: %v", err)
					return
				}
			}
			_ = os.RemoveAll(filepath.Join(dir, name))
		})
	}
	return func() {
		stopping.Store(true)
		wg.Wait()
	}
}

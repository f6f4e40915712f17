package dav_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav/interim"
)

// BenchmarkPutLarge measures a PUT of 256 MiB against x/net's handler, which
// writes in place, on the same directory. Each iteration has both serve one, in
// alternating order; the metric davd/xnet is the ratio of the medians.
func BenchmarkPutLarge(b *testing.B) {
	const size = 256 << 20
	fsys, dir := openLocal(b)
	theirs := httptest.NewServer(&webdav.Handler{FileSystem: webdav.Dir(dir), LockSystem: webdav.NewMemLS()})
	b.Cleanup(theirs.Close)
	servers := []*httptest.Server{benchServer(b, fsys, interim.Policy{}), theirs}
	var times [2][]time.Duration
	for i := 0; b.Loop(); i++ {
		for j := range servers {
			which := (i + j) % 2
			body := zeros(size)
			request, err := http.NewRequestWithContext(b.Context(), http.MethodPut, servers[which].URL+"/big", &body)
			if err != nil {
				b.Fatal(err)
			}
			request.ContentLength = size
			start := time.Now()
			response, err := servers[which].Client().Do(request)
			if err != nil {
				b.Fatal(err)
			}
			times[which] = append(times[which], time.Since(start))
			if err := response.Body.Close(); err != nil || response.StatusCode/100 != 2 {
				b.Fatalf("%s, %v", response.Status, err)
			}
			if err := fsys.RemoveAll(b.Context(), "/big"); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(median(times[0]))/float64(median(times[1])), "davd/xnet")
	b.ReportMetric(size/1e6/median(times[0]).Seconds(), "davd-MB/s")
}

package dav_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/latency"
)

// TestWorkersByPrincipal: a small COPY does not wait for those of another user that began
// before it.
func TestWorkersByPrincipal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 50
		memory := webdav.NewMemFS()
		f, err := memory.OpenFile(t.Context(), "/f", os.O_RDWR|os.O_CREATE, 0o666)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		h := &dav.Handler{
			FileSystem: latency.New(memory, 5*time.Millisecond),
			Principal:  func(r *http.Request) string { return r.Header.Get("User") },
		}
		copyAs := func(user, to string) {
			r := httptest.NewRequestWithContext(t.Context(), "COPY", "/f", nil)
			r.Header.Set("User", user)
			r.Header.Set("Destination", to)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != http.StatusCreated {
				t.Errorf("%s: status %d: %s", to, w.Code, w.Body)
			}
		}
		var done atomic.Int64
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				copyAs("many", fmt.Sprintf("/f%d", i))
				done.Add(1)
			})
		}
		for done.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		copyAs("one", "/g")
		if before := done.Load(); before > many/2 {
			t.Errorf("%d of %d COPYs of another user were done first", before, many)
		}
		all.Wait()
	})
}

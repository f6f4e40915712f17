package dav_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
)

// TestStalledListing: a client that reads nothing of a listing holds one of the
// Listings only for as long as StallTimeout.
func TestStalledListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &dav.Handler{FileSystem: webdav.NewMemFS(), StallTimeout: time.Second, Listings: dav.Listings{Most: 1}}
		for i := range 2000 { // more than is held of an answer
			if err := h.FileSystem.Mkdir(t.Context(), fmt.Sprintf("/%d", i), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		given := make(chan error, 2)
		h.Logger = func(_ *http.Request, err error) { given <- err }
		s := serveBubble(t, h)
		s.dial().ask("PROPFIND /", "Depth: infinity")
		if err := <-given; err == nil {
			t.Error("no error of a listing that was given up")
		}
		synctest.Wait()
		if len(h.Operations()) != 0 {
			t.Error("the listing is under way")
		}
		other := s.dial()
		other.ask("OPTIONS /")
		if _, got := other.final(); got.status != http.StatusOK {
			t.Errorf("then OPTIONS is %d", got.status)
		}
	})
}

// TestStalledUpload: an upload of which nothing comes for as long as StallTimeout
// is a 408 and leaves nothing; one that comes slowly is taken.
func TestStalledUpload(t *testing.T) {
	const part = 100_000
	for _, c := range []struct {
		name    string
		timeout time.Duration
		pause   time.Duration // before the second of two parts
		status  int
	}{
		{"zero is two minutes", 0, 2*time.Minute + time.Second, http.StatusRequestTimeout},
		{"slowly", 0, 2*time.Minute - time.Second, http.StatusCreated},
		{"shorter", time.Second, 2 * time.Second, http.StatusRequestTimeout},
		{"for ever", -1, 24 * time.Hour, http.StatusCreated},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &dav.Handler{FileSystem: webdav.NewMemFS(), StallTimeout: c.timeout}
				client := serveBubble(t, h).dial()
				client.ask("PUT /f", fmt.Sprint("Content-Length: ", 2*part))
				if _, err := client.Write(make([]byte, part)); err != nil {
					t.Fatal(err)
				}
				go func() {
					time.Sleep(c.pause)
					_, _ = client.Write(make([]byte, part)) // which nobody may want any more
				}()
				_, got := client.final()
				_, err := h.FileSystem.Stat(t.Context(), "/f")
				if got.status != c.status || (err == nil) != (c.status == http.StatusCreated) {
					t.Errorf("%d %s; and of the file: %v", got.status, got.body, err)
				}
			})
		})
	}
}

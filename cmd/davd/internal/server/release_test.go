package server

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestReleaser checks that memory is released when a burst is over, but not while the server
// is busy or when there is little to release.
func TestReleaser(t *testing.T) {
	for _, c := range []struct {
		name string
		held uint64 // MiB
		// allocated during the first minute, in MiB per second.
		allocated uint64
		released  time.Duration // 0 means never
	}{
		{"quiet", 200, 0, releaseAfter},
		{"little", 60, 0, 0},
		{"busy for a minute", 200, 100, time.Minute + releaseAfter},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, released := time.Now(), time.Duration(0)
				held := c.held << 20
				r := &releaser{
					usage: func() (uint64, uint64) {
						busy := min(time.Since(start), time.Minute)
						return held, c.allocated << 20 * uint64(busy.Seconds())
					},
					release: func() { held, released = 30<<20, time.Since(start) },
				}
				for range 3 {
					r.connState(nil, http.StateClosed)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if released != c.released {
					t.Errorf("released after %v, want %v", released, c.released)
				}
				if r.armed.Load() {
					t.Error("it still looks at an idle server")
				}
				r.connState(nil, http.StateClosed)
				time.Sleep(time.Hour)
				synctest.Wait()
				if released != c.released {
					t.Error("it was released twice")
				}
			})
		})
	}
}

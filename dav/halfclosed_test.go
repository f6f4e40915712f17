package dav_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/intercept"
)

// departure is a storage where one call waits until the client has closed its sending side.
type departure struct {
	until atomic.Int64 // calls until it is this one's turn; 0 or less: none waits
	seen  atomic.Bool  // whether a call has waited
}

func (d *departure) before(ctx context.Context, _, _ string) error {
	if d.until.Add(-1) == 0 && ctx.Done() != nil {
		d.seen.Store(true)
		<-ctx.Done()
	}
	return nil
}

// TestHalfClosed checks the answer to a client that closes its sending side and keeps reading, during
// each call of the storage. net/http takes it for a client that has gone (golang/go#18527), so the request
// may be stopped. Then the answer says so, and nothing has changed. net/http looks at the connection when
// it has the whole request, so a PUT would not notice before its end.
func TestHalfClosed(t *testing.T) {
	for _, c := range []struct {
		request string
		status  int
		changed layout
	}{
		{"GET /f HTTP/1.1\n\n", 200, garden()},
		{"PROPFIND /c/ HTTP/1.1\nDepth: 1\n\n", 207, garden()},
		{"MKCOL /new/ HTTP/1.1\n\n", 201, garden().with(layout{"/new/": ""})},
	} {
		t.Run(strings.Fields(c.request)[0]+strings.Fields(c.request)[1], func(t *testing.T) {
			stopped := 0
			for call := 1; ; call++ {
				d := &departure{}
				fsys, _ := openLocal(t)
				s := serve(t, intercept.New(fsys, d.before), &dav.Handler{}, garden())
				client := s.dial()
				d.until.Store(int64(call))
				client.write(c.request)
				client.end()
				got := client.response()
				over := d.until.Swap(0) > 0
				switch {
				case got.status == c.status:
					s.holds(c.changed)
				case got.status == 503 && strings.Contains(got.body, "the client has closed its sending side"):
					stopped++
					s.holds(garden())
				default:
					t.Errorf("call %d: %d %s", call, got.status, got.body)
				}
				if over {
					break
				}
			}
			if stopped == 0 {
				t.Error("no request was stopped")
			}
		})
	}
}

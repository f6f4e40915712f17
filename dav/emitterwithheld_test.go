package dav_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
)

// TestWithheldAccepted: an operation that was answered 202 is not reported as ended.
func TestWithheldAccepted(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name, prefer, agent string
		// interims is how many the client gets before the 202.
		interims int
		want     []interim.Withheld
	}{
		{"before the first is due", "respond-async, wait=2", "curl/8", 0, []interim.Withheld{{Rule: 4, Reason: "the request was answered 202 before the first was due"}}},
		{"a stranger", "respond-async, wait=2", "stranger", 0, []interim.Withheld{{Rule: 3, Reason: "the client is unknown and did not ask"}}},
		{"after the first", "respond-async, wait=30", "curl/8", 1, nil},
		{"done within wait", "respond-async, wait=60", "curl/8", 2, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var got []interim.Withheld
				h := &dav.Handler{Interim: interim.Policy{Withheld: func(_ *http.Request, why interim.Withheld) {
					mu.Lock()
					defer mu.Unlock()
					got = append(got, why)
				}}}
				server, g := inBubble(t, h)
				time.AfterFunc(50*s, g.open)
				client := server.dial()
				client.ask("COPY /src", "Destination: /dst", "User-Agent: "+c.agent, "Prefer: "+c.prefer)
				interims, final := client.final()
				if len(interims) != c.interims || (final.status == 202) != (c.name != "done within wait") {
					t.Errorf("%d interim responses before a %d", len(interims), final.status)
				}
				time.Sleep(time.Minute) // virtual
				mu.Lock()
				defer mu.Unlock()
				if !slices.Equal(got, c.want) {
					t.Errorf("told is %+v, want %+v", got, c.want)
				}
			})
		})
	}
}

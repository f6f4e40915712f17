package dav_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/davd/davd/dav"
)

// TestAnswersApart checks that each of many simultaneous clients gets its own answer,
// although responses reuse memory.
func TestAnswersApart(t *testing.T) {
	const clients, each = 8, 40
	s := serveMem(t, &dav.Handler{}, nil)
	for i := range clients {
		name := fmt.Sprintf("/%d-%s", i, strings.Repeat("x", 700*i))
		s.mkdir(name)
	}
	var running sync.WaitGroup
	for i := range clients {
		running.Go(func() {
			target := fmt.Sprintf("/%d-%s", i, strings.Repeat("x", 700*i))
			property := fmt.Sprintf("p%d", i)
			body := `<propfind xmlns="DAV:"><prop><` + property + `/><getetag/></prop></propfind>`
			for range each {
				a := s.send("PROPFIND", target, body, "Depth: 0")
				if a.status != 207 || strings.Count(a.body, "<D:href>") != 1 ||
					!strings.Contains(a.body, "<D:href>"+target+"/</D:href>") || !strings.Contains(a.body, "<D:"+property+"/>") {
					t.Errorf("client %d got %d %q", i, a.status, a.body)
					return
				}
				if a = s.send("PROPFIND", fmt.Sprintf("/none%d", i), body, "Depth: 0"); a.status != 404 || strings.Contains(a.body, "<D:") {
					t.Errorf("client %d got %d %q", i, a.status, a.body)
					return
				}
			}
		})
	}
	running.Wait()
}

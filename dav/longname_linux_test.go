package dav_test

import (
	"strings"
	"testing"

	"github.com/davd/davd/dav"
)

// TestLongNames: a name that is too long for the storage doesn't exist, and a request that
// would create it is refused with the reason.
func TestLongNames(t *testing.T) {
	segment := strings.Repeat("n", 256)
	deep := strings.Repeat("/"+strings.Repeat("d", 200), 25)
	for name, long := range map[string]string{
		"a name of 256 bytes":        "/" + segment,
		"in a collection":            "/c/" + segment,
		"of characters":              "/" + strings.Repeat("%E6%BC%A2", 86),
		"below a name of 256 bytes":  "/" + segment + "/x",
		"a path of more than 4 KiB":  deep,
		"and a name that is longest": deep + "/" + segment,
	} {
		t.Run(name, func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden())
			s.wants(404, "GET", long)
			s.wants(404, "HEAD", long)
			s.wants(404, "POST", long)
			s.sends(404, "PROPFIND", long, askAll, "Depth: 0")
			s.sends(404, "PROPFIND", long, askAll, "Depth: 1")
			s.sends(404, "PROPPATCH", long, instructions(set("<x:a/>")))
			s.wants(404, "DELETE", long)
			s.wants(404, "COPY", long, "Destination: /x")
			s.wants(404, "MOVE", long, "Destination: /x")
			s.wants(200, "OPTIONS", long)
			made := []answer{
				s.send("PUT", long, "content"),
				s.send("PUT", long, strings.Repeat("content", 20_000)),
				s.do("MKCOL", long),
				s.send("LOCK", long, lockBody),
				s.do("COPY", "/f", "Destination: "+long),
				s.do("MOVE", "/f", "Destination: "+long),
				s.do("COPY", "/o/", "Destination: "+long),
				s.do("MOVE", "/o/", "Destination: "+long),
				s.send("LOCK", long, lockBody), // the first request has not locked it
			}
			for i, a := range made {
				isLong := a.status == 403 && strings.Contains(a.body, "too long for the storage")
				noParent := a.status == 409 && strings.Contains(a.body, "does not exist")
				if !isLong && !noParent {
					t.Errorf("request %d: %d: %s", i, a.status, a.body)
				}
			}
			s.holds(garden())
		})
	}
}

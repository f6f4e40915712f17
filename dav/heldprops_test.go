package dav_test

import (
	"strings"
	"testing"
)

// TestHeldPropsOfRoot: the root has properties like any other resource.
func TestHeldPropsOfRoot(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		if a := s.send("PROPPATCH", "/", setProp); a.status != 207 || !strings.Contains(a.body, "200 OK") {
			s.Fatalf("PROPPATCH is %d: %s", a.status, a.body)
		}
		if a := s.do("PROPFIND", "/", "Depth: 0"); !strings.Contains(a.body, "colour") && !strings.Contains(a.body, ">x<") {
			s.Errorf("PROPFIND: %s", a.body)
		}
	})
}

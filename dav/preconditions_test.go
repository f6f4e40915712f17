package dav_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestPreconditions tests the If-Match family with every method that it applies to, on
// files and collections (RFC 9110 §13).
func TestPreconditions(t *testing.T) {
	past, future := "Sat, 01 Jan 2000 00:00:00 GMT", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	type request struct {
		method, target string
		fields         []string
		status         int
	}
	requests := []request{
		{"PUT", "/f", nil, 204},
		{"DELETE", "/f", nil, 204},
		{"DELETE", "/c/", nil, 204},
		{"COPY", "/f", []string{"Destination: /new"}, 201},
		{"COPY", "/c/", []string{"Destination: /new/"}, 201},
		{"MOVE", "/f", []string{"Destination: /new"}, 201},
		{"MOVE", "/c/", []string{"Destination: /new/"}, 201},
		{"PROPPATCH", "/f", nil, 207},
		{"PROPPATCH", "/c/", nil, 207},
		{"PROPFIND", "/f", nil, 207},
		{"PROPFIND", "/c/", nil, 207},
		{"LOCK", "/f", nil, 200},
		{"LOCK", "/c/", nil, 200},
		{"GET", "/f", nil, 200},
		{"HEAD", "/f", nil, 200},
		{"GET", "/c/", nil, 200},
	}
	for _, c := range []struct {
		name, field string // {etag} is the resource's
		holds       bool
	}{
		{"§13.1.1 If-Match", "If-Match: {etag}", true},
		{"§13.1.1 If-Match, a list", `If-Match: "a,b", {etag}`, true},
		{"§13.1.1 If-Match: *", "If-Match: *", true},
		{"§13.1.1 If-Match, another", `If-Match: "other"`, false},
		{"§13.1.1 If-Match, weak", "If-Match: W/{etag}", false},
		{"§13.1.2 If-None-Match", "If-None-Match: {etag}", false},
		{"§13.1.2 If-None-Match, weak", "If-None-Match: W/{etag}", false},
		{"§13.1.2 If-None-Match: *", "If-None-Match: *", false},
		{"§13.1.2 If-None-Match, another", `If-None-Match: "other"`, true},
		{"§13.1.4 If-Unmodified-Since", "If-Unmodified-Since: " + future, true},
		{"§13.1.4 If-Unmodified-Since, modified", "If-Unmodified-Since: " + past, false},
		{"§13.1.4 If-Unmodified-Since, no date", "If-Unmodified-Since: yesterday", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				for _, r := range requests {
					s.refill(garden())
					etag := s.do("HEAD", r.target).header.Get("ETag")
					if etag == "" {
						s.Fatalf("%s has no ETag", r.target)
					}
					want := r.status
					if !c.holds {
						want = http.StatusPreconditionFailed
						if (r.method == "GET" || r.method == "HEAD") && strings.HasPrefix(c.field, "If-None-Match") {
							want = http.StatusNotModified
							if strings.HasSuffix(r.target, "/") { // TestGetIndexConditions
								want = http.StatusOK
							}
						}
					}
					body := map[string]string{"LOCK": lockBody, "PROPPATCH": setProp}[r.method]
					a := s.send(r.method, r.target, body, append(r.fields, strings.ReplaceAll(c.field, "{etag}", etag))...)
					if a.status != want {
						s.Errorf("%s %s: %d, want %d: %s", r.method, r.target, a.status, want, a.body)
					}
					if token := a.header.Get("Lock-Token"); token != "" {
						s.wants(204, "UNLOCK", r.target, "Lock-Token: "+token)
					}
					if !c.holds {
						s.holds(garden())
					}
				}
			})
		})
	}
}

// TestPreconditionsUnmapped checks that no tag matches a missing resource.
func TestPreconditionsUnmapped(t *testing.T) {
	for _, c := range []struct {
		method, field string
		status        int
	}{
		{"PUT", "If-Match: *", 412},
		{"PUT", `If-Match: "x"`, 412},
		{"PUT", "If-None-Match: *", 201},
		{"PUT", `If-None-Match: "x"`, 201},
		{"PUT", "If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT", 412},
		{"MKCOL", "If-Match: *", 412},
		{"MKCOL", "If-None-Match: *", 201},
		{"LOCK", "If-Match: *", 412},
		{"LOCK", "If-None-Match: *", 201},
		{"GET", "If-Match: *", 404},
		{"DELETE", "If-Match: *", 404},
		{"PROPFIND", "If-Match: *", 404},
	} {
		t.Run(fmt.Sprint(c.method, " ", c.field), func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				body := map[string]string{"LOCK": lockBody}[c.method]
				if a := s.send(c.method, "/new", body, c.field); a.status != c.status {
					s.Errorf("%d, want %d: %s", a.status, c.status, a.body)
				}
				if c.status >= 400 {
					s.holds(garden())
				}
			})
		})
	}
}

// refill replaces the content of the storage by l.
func (s *share) refill(l layout) {
	s.Helper()
	for name := range s.tree() {
		if strings.Count(strings.TrimSuffix(name, "/"), "/") == 1 {
			if err := s.fsys.RemoveAll(s.Context(), strings.TrimSuffix(name, "/")); err != nil {
				s.Fatal(err)
			}
		}
	}
	s.plantLayout(l)
}

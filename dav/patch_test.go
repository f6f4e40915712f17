package dav_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/dav"
)

const patchType = "Content-Type: application/x-sabredav-partialupdate"

// ten is a tree of one file, and another.
func ten() layout { return layout{"/f": "1234567890", "/c/m": "member"} }

// partial is a PATCH or PUT of a part of /f, which has ten bytes.
type partial struct {
	name, target, body string
	fields             []string
	status             int
	want               string // of target; "": nothing has changed
}

func TestPatch(t *testing.T) {
	etag := func(s *share) string { return s.do("HEAD", "/f").header.Get("ETag") }
	for _, c := range []partial{
		{"the first bytes", "/f", "----", []string{"X-Update-Range: bytes=0-3"}, 204, "----567890"},
		{"in the middle", "/f", "----", []string{"X-Update-Range: bytes=1-4"}, 204, "1----67890"},
		{"to where the body ends", "/f", "----", []string{"X-Update-Range: bytes=2-"}, 204, "12----7890"},
		{"the last bytes", "/f", "----", []string{"X-Update-Range: bytes=-4"}, 204, "123456----"},
		{"beyond the end", "/f", "----", []string{"X-Update-Range: bytes=-2"}, 204, "12345678----"},
		{"at the end", "/f", "----", []string{"X-Update-Range: bytes=10-"}, 204, "1234567890----"},
		{"at the end, with the last", "/f", "----", []string{"X-Update-Range: bytes=10-13"}, 204, "1234567890----"},
		{"append", "/f", "----", []string{"X-Update-Range: append"}, 204, "1234567890----"},
		{"Append", "/f", "----", []string{"X-Update-Range: Append"}, 204, "1234567890----"},
		{"all bytes", "/f", "abcdefghijk", []string{"X-Update-Range: bytes=-10"}, 204, "abcdefghijk"},
		{"nothing appended", "/f", "", []string{"X-Update-Range: append"}, 204, "1234567890"},
		{"RFC 9110 §15.5.17 a hole", "/f", "----", []string{"X-Update-Range: bytes=11-"}, 416, ""},
		{"before the first", "/f", "----", []string{"X-Update-Range: bytes=-11"}, 416, ""},
		{"more than the body", "/f", "----", []string{"X-Update-Range: bytes=0-4"}, 416, ""},
		{"less than the body", "/f", "----", []string{"X-Update-Range: bytes=0-2"}, 416, ""},
		{"reversed", "/f", "----", []string{"X-Update-Range: bytes=4-1"}, 416, ""},
		{"without the range", "/f", "----", nil, 400, ""},
		{"two ranges", "/f", "----", []string{"X-Update-Range: bytes=0-3", "X-Update-Range: append"}, 400, ""},
		{"a list", "/f", "----", []string{"X-Update-Range: bytes=0-1,4-5"}, 400, ""},
		{"another unit", "/f", "----", []string{"X-Update-Range: lines=0-3"}, 400, ""},
		{"no number", "/f", "----", []string{"X-Update-Range: bytes=x-"}, 400, ""},
		{"a sign", "/f", "----", []string{"X-Update-Range: bytes=+1-"}, 400, ""},
		{"no bytes before the end", "/f", "----", []string{"X-Update-Range: bytes=-0"}, 400, ""},
		{"nothing at all", "/f", "----", []string{"X-Update-Range: bytes=-"}, 400, ""},
		{"too large a number", "/f", "----", []string{"X-Update-Range: bytes=9223372036854775807-"}, 400, ""},
		{"RFC 9110 §8.4 Content-Encoding", "/f", "----", []string{"X-Update-Range: append", "Content-Encoding: gzip"}, 415, ""},
		{"RFC 5789 §2.2 nothing there", "/new", "----", []string{"X-Update-Range: append"}, 404, ""},
		{"no parent", "/none/new", "----", []string{"X-Update-Range: append"}, 404, ""},
		{"below a file", "/f/new", "----", []string{"X-Update-Range: append"}, 404, ""},
		{"collection", "/c/", "----", []string{"X-Update-Range: append"}, 405, ""},
		{"the root", "/", "----", []string{"X-Update-Range: append"}, 405, ""},
		{"reserved name", "/.davd-x", "----", []string{"X-Update-Range: append"}, 403, ""},
		{"RFC 9110 §13.1.1 If-Match", "/f", "----", []string{"X-Update-Range: append", `If-Match: "other"`}, 412, ""},
		{"RFC 9110 §13.1.1 If-Match holds", "/f", "----", []string{"X-Update-Range: append", "If-Match: {etag}"}, 204, "1234567890----"},
		{"RFC 9110 §13.1.2 If-None-Match", "/f", "----", []string{"X-Update-Range: append", "If-None-Match: {etag}"}, 412, ""},
		{"RFC 9110 §13.1.4 If-Unmodified-Since", "/f", "----", []string{"X-Update-Range: append", "If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT"}, 412, ""},
		{"§10.4 If", "/f", "----", []string{"X-Update-Range: append", "If: (<urn:x>)"}, 412, ""},
		{"§10.4 If holds", "/f", "----", []string{"X-Update-Range: append", "If: ([{etag}])"}, 204, "1234567890----"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, ten(), func(s *share) {
				fields := slices.Clone(c.fields)
				for i := range fields {
					fields[i] = strings.ReplaceAll(fields[i], "{etag}", etag(s))
				}
				s.part("PATCH", c, append(fields, patchType)...)
			})
		})
	}
}

// part sends c and checks the tree afterwards.
func (s *share) part(method string, c partial, fields ...string) {
	s.Helper()
	before := s.do("HEAD", "/f").header.Get("ETag")
	a := s.sends(c.status, method, c.target, c.body, fields...)
	want := ten()
	if c.want != "" {
		want[c.target] = c.want
		get := s.wants(200, "GET", c.target)
		if got := a.header.Get("ETag"); got != get.header.Get("ETag") || got == "" || got == before && c.status == 204 {
			s.Errorf("ETag %q, was %q, GET says %q", got, before, get.header.Get("ETag"))
		}
	}
	s.holds(want)
	if got := a.header.Get("Content-Range"); got != "" && (got != "bytes */10" || c.status != 416) {
		s.Errorf("Content-Range %q", got)
	}
}

// TestPatchHeaders tests the headers of the answers.
func TestPatchHeaders(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, ten())
	for _, other := range []string{"Content-Type: text/plain", "Content-Type: ", "X-Other: x"} {
		a := s.sends(415, "PATCH", "/f", "x", "X-Update-Range: append", other)
		if got := a.header.Get("Accept-Patch"); got != "application/x-sabredav-partialupdate" {
			t.Errorf("RFC 5789 §2.2 Accept-Patch %q", got)
		}
	}
	s.sends(204, "PATCH", "/f", "x", "X-Update-Range: append", patchType+"; charset=utf-8")
	a := s.sends(416, "PATCH", "/f", "x", "X-Update-Range: bytes=99-", patchType)
	if got := a.header.Get("Content-Range"); got != "bytes */11" {
		t.Errorf("RFC 9110 §15.5.17 Content-Range %q", got)
	}
	connection := s.dial()
	connection.write("PATCH /f HTTP/1.1\n" + patchType + "\nX-Update-Range: append\nTransfer-Encoding: chunked\n\n1\nx\n0\n\n")
	if got := connection.status(); got != http.StatusLengthRequired {
		t.Errorf("in chunks: %d, want 411", got)
	}
	s.h.ReadOnly = true
	s.sends(403, "PATCH", "/f", "x", "X-Update-Range: append", patchType)
	s.holds(layout{"/f": "1234567890x", "/c/m": "member"})
}

// TestPartialPut tests a PUT with Content-Range (RFC 9110 §14.5).
func TestPartialPut(t *testing.T) {
	for _, c := range []partial{
		{"in the middle", "/f", "----", []string{"Content-Range: bytes 3-6/10"}, 204, "123----890"},
		{"the length is that of the end", "/f", "----", []string{"Content-Range: bytes 10-13/1000"}, 204, "1234567890----"},
		{"unknown length", "/f", "----", []string{"Content-Range: bytes 8-11/*"}, 204, "12345678----"},
		{"RFC 9110 §14.4 the file is longer, all of it", "/f", "----", []string{"Content-Range: bytes 0-3/4"}, 409, ""},
		{"RFC 9110 §14.4 the file is longer, the last part", "/f", "----", []string{"Content-Range: bytes 2-5/6"}, 409, ""},
		{"RFC 9110 §14.4 the file is longer, the first part", "/f", "----", []string{"Content-Range: bytes 0-3/9"}, 409, ""},
		{"RFC 9110 §14.4 the file is as long", "/f", "----", []string{"Content-Range: bytes 6-9/10"}, 204, "123456----"},
		{"the first part of a new file", "/new", "----", []string{"Content-Range: bytes 0-3/1000"}, 201, "----"},
		{"the second part of a new file", "/new", "----", []string{"Content-Range: bytes 4-7/1000"}, 416, ""},
		{"a hole", "/f", "----", []string{"Content-Range: bytes 11-14/15"}, 416, ""},
		{"more than the body", "/f", "----", []string{"Content-Range: bytes 0-4/10"}, 400, ""},
		{"less than the body", "/f", "----", []string{"Content-Range: bytes 0-2/10"}, 400, ""},
		{"more than the whole", "/f", "----", []string{"Content-Range: bytes 0-3/3"}, 400, ""},
		{"reversed", "/f", "----", []string{"Content-Range: bytes 3-0/10"}, 400, ""},
		{"no range", "/f", "----", []string{"Content-Range: bytes */10"}, 400, ""},
		{"another unit", "/f", "----", []string{"Content-Range: lines 0-3/10"}, 400, ""},
		{"unreadable", "/f", "----", []string{"Content-Range: x"}, 400, ""},
		{"twice", "/f", "----", []string{"Content-Range: bytes 0-3/4", "Content-Range: bytes 0-3/4"}, 400, ""},
		{"no parent", "/none/new", "----", []string{"Content-Range: bytes 0-3/4"}, 409, ""},
		{"collection", "/c/", "----", []string{"Content-Range: bytes 0-3/4"}, 405, ""},
		{"RFC 9110 §13.1.2 If-None-Match: *", "/f", "----", []string{"Content-Range: bytes 0-3/4", "If-None-Match: *"}, 412, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, ten(), func(s *share) {
				s.h.PartialPut = true
				s.part("PUT", c, c.fields...)
			})
		})
	}
}

// TestPatchKeeps checks that a PATCH keeps the file's properties, locks, permission
// bits and user extended attributes.
func TestPatchKeeps(t *testing.T) {
	const ask = `<propfind xmlns="DAV:"><prop><colour xmlns="urn:x"/><lockdiscovery/></prop></propfind>`
	onBackends(t, ten(), func(s *share) {
		s.sends(207, "PROPPATCH", "/f", setProp)
		token := s.lock("/f")
		s.sends(423, "PATCH", "/f", "x", "X-Update-Range: append", patchType)
		s.sends(204, "PATCH", "/f", "x", "X-Update-Range: append", patchType, "If: (<"+token+">)")
		a := s.send("PROPFIND", "/f", ask, "Depth: 0")
		for name, prop := range s.multistatus(a).responses["/f"].props {
			if prop.status != 200 {
				s.Errorf("%v is %d", name, prop.status)
			}
		}
		if !strings.Contains(a.body, token) {
			s.Errorf("the lock is gone: %s", a.body)
		}
	})
	s := serveLocal(t, &dav.Handler{}, ten())
	if err := os.Chmod(filepath.Join(s.dir, "f"), 0o640); err != nil {
		t.Fatal(err)
	}
	s.sends(204, "PATCH", "/f", "x", "X-Update-Range: append", patchType)
	if info, err := os.Stat(filepath.Join(s.dir, "f")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// partialRequests are a PATCH and a PUT that append four bytes to a file of ten.
var partialRequests = map[string][]string{
	"PATCH": {patchType, "X-Update-Range: append"},
	"PUT":   {"Content-Range: bytes 10-13/14"},
}

// TestPatchFailures checks that a failure of any storage call leaves no trace.
func TestPatchFailures(t *testing.T) {
	for _, b := range backends {
		for method, fields := range partialRequests {
			t.Run(b.name+" "+method, func(t *testing.T) {
				for n, failed := 0, true; failed; n++ {
					fsys, _ := b.open(t)
					s := serve(t, fsys, &dav.Handler{PartialPut: true}, ten())
					calls, op := 0, ""
					s.before = func(o, _ string) error {
						if calls++; calls-1 == n {
							op = o
							return &fs.PathError{Op: o, Path: "/secret/path", Err: syscall.EDQUOT}
						}
						return nil
					}
					a := s.send(method, "/f", "----", fields...)
					s.before = nil
					failed = op != ""
					switch {
					case a.status/100 == 2:
						s.holds(layout{"/f": "1234567890----", "/c/m": "member"})
					case a.status == http.StatusInsufficientStorage && failed:
						s.holds(ten())
					default:
						t.Errorf("%d after a failure of %s", a.status, op)
					}
					if n > 100 {
						t.Fatal("no end of calls")
					}
				}
			})
		}
	}
}

// TestPatchInterrupted checks that an incomplete body changes nothing.
func TestPatchInterrupted(t *testing.T) {
	onBackends(t, ten(), func(s *share) {
		s.h.PartialPut = true
		for method, fields := range partialRequests {
			for _, expect := range []string{"", "Expect: 100-continue\n"} {
				connection := s.dial()
				connection.write(method + " /f HTTP/1.1\n" + strings.Join(fields, "\n") + "\n" + expect + "Content-Length: 4\n\n--")
				connection.end()
				got := connection.status()
				if got == http.StatusContinue {
					got = connection.status()
				}
				if got != http.StatusBadRequest {
					s.Errorf("%s %s: %d, want 400", method, expect, got)
				}
				s.holds(ten())
			}
		}
	})
}

// TestPatchChanged checks that a change to the file during a PATCH is a conflict, and
// that the change stays (RFC 5789 §2.2).
func TestPatchChanged(t *testing.T) {
	for _, c := range []struct {
		name    string
		between func(s *share)
		status  int
		want    layout
	}{
		{"replaced", func(s *share) { s.sends(204, "PUT", "/f", "ten bytes!") }, 409, layout{"/f": "ten bytes!", "/c/m": "member"}},
		{"patched", func(s *share) {
			s.sends(204, "PATCH", "/f", "x", "X-Update-Range: append", patchType)
		}, 409, layout{"/f": "1234567890x", "/c/m": "member"}},
		{"gone", func(s *share) { s.wants(204, "DELETE", "/f") }, 404, ten().without("/f")},
		{"locked", func(s *share) { s.lock("/f") }, 423, ten()},
		{"nothing", func(*share) {}, 204, layout{"/f": "1234567890----", "/c/m": "member"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, ten(), func(s *share) {
				connection := s.dial()
				connection.write("PATCH /f HTTP/1.1\n" + patchType + "\nX-Update-Range: append\nExpect: 100-continue\nContent-Length: 4\n\n")
				if got := connection.status(); got != http.StatusContinue {
					s.Fatalf("%d, want 100", got)
				}
				c.between(s)
				connection.write("----")
				if got := connection.status(); got != c.status {
					s.Errorf("%d, want %d", got, c.status)
				}
				s.holds(c.want)
			})
		})
	}
}

// TestPartialPutAppeared checks that the first part of a new file does not go into a
// file that another program creates meanwhile.
func TestPartialPutAppeared(t *testing.T) {
	onBackends(t, ten(), func(s *share) {
		s.h.PartialPut = true
		connection := s.dial()
		connection.write("PUT /new HTTP/1.1\nContent-Range: bytes 0-3/*\nExpect: 100-continue\nContent-Length: 4\n\n")
		if got := connection.status(); got != http.StatusContinue {
			s.Fatalf("%d, want 100", got)
		}
		s.sends(201, "PUT", "/new", "somebody else's")
		connection.write("----")
		if got := connection.status(); got != http.StatusConflict {
			s.Errorf("%d, want 409", got)
		}
		s.holds(ten().with(layout{"/new": "somebody else's"}))
	})
}

// TestPatchRace checks that of many clients that append at once, each either succeeds
// or gets an error.
func TestPatchRace(t *testing.T) {
	const clients, each = 8, 10
	onBackends(t, ten(), func(s *share) {
		var mu sync.Mutex
		want := make(map[string]bool)
		var running sync.WaitGroup
		for client := range clients {
			running.Go(func() {
				for i := range each {
					line := fmt.Sprintf("client %d line %d\n", client, i)
					a, err := send(s.TB, s.server, "PATCH", "/f", line, "X-Update-Range: append", patchType)
					if err != nil || a.status != 204 && a.status != 409 && a.status != 423 {
						s.Errorf("%d, %v", a.status, err)
					}
					mu.Lock()
					want[line] = a.status == 204
					mu.Unlock()
				}
			})
		}
		running.Wait()
		got := s.content("/f")
		for line, appended := range want {
			if strings.Count(got, line) != map[bool]int{true: 1, false: 0}[appended] {
				s.Errorf("%q is there %d times; appended: %t", line, strings.Count(got, line), appended)
			}
		}
	})
}

// TestPatchMtime checks that X-OC-Mtime also works with PATCH.
func TestPatchMtime(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, ten())
	a := s.sends(204, "PATCH", "/f", "x", "X-Update-Range: append", patchType, "X-OC-Mtime: 1234567890")
	info, err := s.fsys.Stat(t.Context(), "/f")
	if err != nil || !info.ModTime().Equal(time.Unix(1234567890, 0)) || a.header.Get("X-OC-Mtime") != "accepted" {
		t.Errorf("%v, %v, %q", info.ModTime(), err, a.header.Get("X-OC-Mtime"))
	}
}

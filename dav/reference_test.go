package dav_test

import (
	"strings"
	"testing"

	"github.com/davd/davd/dav"
)

// TestRawDestination sends names without escaping, as some clients do. None may turn
// into another name.
func TestRawDestination(t *testing.T) {
	for _, c := range []struct {
		name, destination string
		status            int
		made              string // where it is created; "": nowhere
	}{
		{"§8.3 LibreOffice's #", "http://{host}/a #1.docx", 201, "/a #1.docx"},
		{"§8.3 # in an absolute path", "/c/#", 201, "/c/#"},
		{"§8.3 # and nothing behind it", "/c/s#", 201, "/c/s#"},
		{"§8.3 # where a shorter name exists", "/f#1", 201, "/f#1"},
		{"§8.3 a # in a collection that isn't there", "/c#/x", 409, ""},
		{"§8.3 a query", "/a?b", 400, ""},
		{"§8.3 a query where a shorter name exists", "/old?", 400, ""},
		{"§8.3 a query behind #", "/a#b?c", 400, ""},
		{"RFC 3986 §2.1 a bare %", "/100% #1.docx", 400, ""},
		{"RFC 3986 §2.1 a % at the end", "/100%", 400, ""},
		{"raw spaces", "/a  b", 201, "/a  b"},
		{"raw UTF-8", "/Zoë 日本語", 201, "/Zoë 日本語"},
		{"raw bytes", "/\xfc", 201, "/\xfc"},
		{"RFC 9112 §5.2 folded", "/a\n b", 201, "/a b"},
		{"empty", "", 400, ""},
	} {
		for _, method := range []string{"COPY", "MOVE"} {
			t.Run(c.name+", "+method, func(t *testing.T) {
				s := serveLocal(t, &dav.Handler{}, garden())
				destination := strings.ReplaceAll(c.destination, "{host}", s.server.Listener.Addr().String())
				if got := s.raw(method + " /f HTTP/1.1\nDestination: " + destination + "\n"); got != c.status {
					t.Errorf("%s is %d, want %d", c.destination, got, c.status)
				}
				want := garden()
				if c.made != "" {
					want[c.made] = want["/f"]
					if method == "MOVE" {
						delete(want, "/f")
					}
				}
				s.holds(want)
			})
		}
	}
}

// TestDestinationReasons checks that the answer says what is wrong with the URI.
func TestDestinationReasons(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	for destination, reason := range map[string]string{
		"/a?b": "%3F", "/100%": "%25", "a": "absolute", "http:///a": "absolute",
	} {
		if a := s.wants(400, "COPY", "/f", "Destination: "+destination); !strings.Contains(a.body, reason) {
			t.Errorf("%s: %s", destination, a.body)
		}
	}
}

// TestIfReferences checks that a tag in the header If is parsed like Destination (RFC
// 4918 §10.4.2).
func TestIfReferences(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, layout{"/a #1.docx": "x", "/a ": "y", "/a?": "z", "/old": ""})
	tag := s.wants(200, "GET", "/a%20%231.docx").header.Get("ETag")
	root := s.wants(200, "GET", "/").header.Get("ETag")
	for _, c := range []struct {
		name, tag, etag string
		status          int
	}{
		{"§8.3 encoded", "/a%20%231.docx", tag, 204},
		{"§8.3 # in an absolute URI", "{server}/a #1.docx", tag, 204},
		{"§8.3 # in an absolute path", "/a #1.docx", tag, 204},
		{"§8.3 a query", "/a #1.docx?", tag, 412},
		{"§8.3 no absolute path", "a #1.docx", tag, 412},
		{"§8.3 a URI without a path is not the root", "urn:x", root, 412},
		{"RFC 3986 §2.1 a bare %", "/%", tag, 412},
	} {
		t.Run(c.name, func(*testing.T) {
			s.sends(c.status, "PUT", "/old", "new", "If: <"+strings.ReplaceAll(c.tag, "{server}", s.server.URL)+"> (["+c.etag+"])")
		})
	}
}

// TestRepeatedHeaders checks that a header that is not a list must not be repeated (RFC
// 9110 §5.3), because a proxy could have checked the other value.
func TestRepeatedHeaders(t *testing.T) {
	const lock = "<urn:uuid:00000000-0000-0000-0000-000000000000>"
	for _, c := range []struct {
		name, head string
		status     int
	}{
		{"§10.3 Destination", "COPY /f HTTP/1.1\nDestination: /a\nDestination: /b\n", 400},
		{"§10.3 the same Destination", "MOVE /f HTTP/1.1\nDestination: /a\nDestination: /a\n", 400},
		{"§10.3 one of them empty", "MOVE /f HTTP/1.1\nDestination:\nDestination: /a\n", 400},
		{"RFC 9110 §5.1 in another case", "MOVE /f HTTP/1.1\nDESTINATION: /a\ndestination: /b\n", 400},
		{"§10.6 Overwrite", "COPY /f HTTP/1.1\nDestination: /old\nOverwrite: F\nOverwrite: T\n", 400},
		{"§10.2 Depth of COPY", "COPY /c HTTP/1.1\nDestination: /a\nDepth: 0\nDepth: infinity\n", 400},
		{"§10.2 Depth of DELETE", "DELETE /c HTTP/1.1\nDepth: infinity\nDepth: 0\n", 400},
		{"§10.2 Depth of PROPFIND", "PROPFIND /c HTTP/1.1\nDepth: 0\nDepth: 1\n", 400},
		{"§10.4 If", "DELETE /f HTTP/1.1\nIf: (" + lock + ")\nIf: (Not " + lock + ")\n", 400},
		{"§10.5 Lock-Token", "UNLOCK /f HTTP/1.1\nLock-Token: " + lock + "\nLock-Token: " + lock + "\n", 400},
		{"X-OC-Mtime", "PUT /f HTTP/1.1\nContent-Length: 0\nX-OC-Mtime: 1\nX-OC-Mtime: 2\n", 400},
		{"X-Expected-Entity-Length", "PUT /f HTTP/1.1\nContent-Length: 0\nX-Expected-Entity-Length: 0\nX-Expected-Entity-Length: 0\n", 400},
		{"RFC 9110 §14.4 Content-Range", "PUT /f HTTP/1.1\nContent-Length: 0\nContent-Range: bytes 0-0/1\nContent-Range: bytes 0-0/1\n", 400},
		{"RFC 9110 §7.2 Host", "DELETE /f HTTP/1.1\nHost: davd.test\n", 400},
		{"§10.2 an empty Depth", "DELETE /c HTTP/1.1\nDepth:\n", 400},
		{"§10.6 an empty Overwrite", "COPY /f HTTP/1.1\nDestination: /old\nOverwrite:\n", 400},
		{"RFC 9112 §5.2 a folded Depth is one", "PROPFIND /f HTTP/1.1\nDepth:\n 0\n", 207},
		{"§10.7 Timeout is a list", "LOCK /f HTTP/1.1\nIf: (" + lock + ")\nTimeout: Infinite\nTimeout: Second-1\n", 412},
		{"RFC 9110 §13.1.1 If-Match is a list", "DELETE /f HTTP/1.1\nIf-Match: \"a\"\nIf-Match: \"b\"\n", 412},
		{"RFC 9110 §13.1.3 two dates count as none", "GET /f HTTP/1.1\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\n", 200},
		{"RFC 9110 §13.1.4 two dates count as none", "PROPFIND /f HTTP/1.1\nDepth: 0\nIf-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\nIf-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\n", 207},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveMem(t, &dav.Handler{PartialPut: true}, garden())
			if got := s.raw(c.head); got != c.status {
				t.Errorf("%q is %d, want %d", c.head, got, c.status)
			}
			s.holds(garden())
		})
	}
}

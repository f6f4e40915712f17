package dav_test

import (
	"errors"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
)

func TestGet(t *testing.T) {
	const html = "<!DOCTYPE html><title>x</title>"
	tree := garden().with(layout{"/page": html, "/a.css": html, "/empty": "", "/A.TXT": "text"})
	onBackends(t, tree, func(s *share) {
		for _, c := range []struct {
			name, target string
			fields       []string
			status       int
			body         string
			contentType  string
		}{
			{"RFC 9110 §9.3.1 file", "/c/m", nil, 200, "member", "text/plain; charset=utf-8"},
			{"file with a slash", "/c/m/", nil, 200, "member", "text/plain; charset=utf-8"},
			{"type by the name, not by the content", "/a.css", nil, 200, html, "text/css; charset=utf-8"},
			{"type by the name in upper case", "/A.TXT", nil, 200, "text", "text/plain; charset=utf-8"},
			{"type by the content if the name is unknown", "/page", nil, 200, html, "text/html; charset=utf-8"},
			{"empty file", "/empty", nil, 200, "", "text/plain; charset=utf-8"},
			{"RFC 9110 §14.2 range", "/c/m", []string{"Range: bytes=1-2"}, 206, "em", "text/plain; charset=utf-8"},
			{"RFC 9110 §14.2 last bytes", "/c/m", []string{"Range: bytes=-2"}, 206, "er", "text/plain; charset=utf-8"},
			{"RFC 9110 §14.2 open range", "/c/m", []string{"Range: bytes=3-"}, 206, "ber", "text/plain; charset=utf-8"},
			{"RFC 9110 §15.5.17 beyond the end", "/c/m", []string{"Range: bytes=6-"}, 416, "", ""},
			{"RFC 9110 §14.1.2 of an empty file", "/empty", []string{"Range: bytes=-5"}, 200, "", "text/plain; charset=utf-8"},
			{"RFC 9110 §14.2 another unit", "/c/m", []string{"Range: lines=1-2"}, 200, "member", "text/plain; charset=utf-8"},
			{"RFC 9110 §14.1.2 more than the whole file", "/c/m", []string{"Range: bytes=-99999999999999999999"}, 206, "member", "text/plain; charset=utf-8"},
			{"RFC 9110 §14.2 too many", "/c/m", []string{"Range: bytes=0-0,0-0,0-0"}, 200, "member", "text/plain; charset=utf-8"},
			{"RFC 9110 §13.1.5 If-Range that does not hold", "/c/m", []string{"Range: bytes=1-2", `If-Range: "other"`}, 200, "member", "text/plain; charset=utf-8"},
			{"a missing file", "/none", nil, 404, "", ""},
			{"below a file", "/f/x", nil, 404, "", ""},
		} {
			a := s.wants(c.status, "GET", c.target, c.fields...)
			if a.status >= 300 {
				continue
			}
			if a.body != c.body || a.header.Get("Content-Type") != c.contentType {
				s.Errorf("%s: %q as %s", c.name, a.body, a.header.Get("Content-Type"))
			}
			for _, header := range []string{"ETag", "Last-Modified", "Accept-Ranges", "Content-Length"} {
				if a.header.Get(header) == "" {
					s.Errorf("%s: no %s", c.name, header)
				}
			}
		}
	})
}

func TestGetRanges(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	tag := s.wants(200, "HEAD", "/c/m").header.Get("ETag")
	if a := s.wants(206, "GET", "/c/m", "Range: bytes=1-2", "If-Range: "+tag); a.body != "em" || a.header.Get("Content-Range") != "bytes 1-2/6" {
		t.Errorf("If-Range that holds: %+v", a)
	}
	// The conditions are evaluated before the range, for every If-Match field.
	a := s.wants(206, "GET", "/c/m", "Range: bytes=0-0,4-5", `If-Match: "other"`, "If-Match: "+tag)
	_, boundary, _ := strings.Cut(a.header.Get("Content-Type"), "boundary=")
	parts, got := multipart.NewReader(strings.NewReader(a.body), boundary), []string{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part.Header.Get("Content-Range")+" "+string(content))
	}
	if want := []string{"bytes 0-0/6 m", "bytes 4-5/6 er"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestGetRangeRefused: a 416 says how long the file is (RFC 9110 §15.5.17), and has no
// headers that describe content.
func TestGetRangeRefused(t *testing.T) {
	onBackends(t, garden().with(layout{"/page.html": "<p>"}), func(s *share) {
		for _, value := range []string{"-0", "3-", "5-2", "99999999999999999999-", "x", ""} {
			a := s.wants(416, "GET", "/page.html", "Range: bytes="+value)
			if a.header.Get("Content-Range") != "bytes */3" || a.header.Get("ETag") != "" || a.header.Get("Content-Disposition") != "" ||
				a.header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.HasPrefix(a.body, "416 Requested Range Not Satisfiable: ") {
				s.Errorf("%q: %+v", value, a)
			}
		}
		s.wants(412, "GET", "/page.html", "Range: bytes=5-2", `If-Match: "other"`) // RFC 9110 §13.2.2
	})
}

// TestGetIfRangeDate: a date doesn't match if it is too recent to tell two versions
// apart (RFC 9110 §8.8.2.2).
func TestGetIfRangeDate(t *testing.T) {
	for _, c := range []struct {
		name string
		age  time.Duration
		date time.Duration // from Last-Modified
		want string
	}{
		{"the same second", 0, 0, "member"},
		{"in the future", -time.Hour, 0, "member"},
		{"an hour ago", time.Hour, 0, "em"},
		{"an hour ago, earlier", time.Hour, -time.Second, "member"},
		{"an hour ago, later", time.Hour, time.Second, "member"},
	} {
		s := serveLocal(t, &dav.Handler{}, garden())
		modified := time.Now().Add(-c.age)
		if err := os.Chtimes(filepath.Join(s.dir, "c", "m"), modified, modified); err != nil {
			t.Fatal(err)
		}
		date := modified.Add(c.date).UTC().Format(http.TimeFormat)
		if a := s.do("GET", "/c/m", "Range: bytes=1-2", "If-Range: "+date); a.body != c.want {
			t.Errorf("%s: %d %q, want %q", c.name, a.status, a.body, c.want)
		}
	}
	s := serveMem(t, &dav.Handler{}, garden())
	tag := s.wants(200, "HEAD", "/c/m").header.Get("ETag")
	for _, fields := range [][]string{{"If-Range: W/" + tag}, {"If-Range: yesterday"}, {"If-Range: " + tag, "If-Range: " + tag}} {
		s.wants(200, "GET", "/c/m", append(fields, "Range: bytes=1-2")...)
	}
}

// TestLastModifiedInFuture: Last-Modified is never after Date (RFC 9110 §8.8.2.1).
// getlastmodified and the conditions use the time on the disk.
func TestLastModifiedInFuture(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	future := time.Now().Add(1000 * time.Hour).Truncate(time.Second)
	for _, name := range []string{"f", "c"} {
		if err := os.Chtimes(filepath.Join(s.dir, name), future, future); err != nil {
			t.Fatal(err)
		}
	}
	put := s.sends(201, "PUT", "/new", "x", "X-OC-Mtime: "+strconv.FormatInt(future.Unix(), 10))
	if put.header.Get("X-OC-Mtime") != "accepted" {
		t.Errorf("X-OC-Mtime is %q", put.header.Get("X-OC-Mtime"))
	}
	answers := map[string]answer{"PUT": put}
	for _, target := range []string{"/f", "/c/", "/new"} {
		for _, method := range []string{"GET", "HEAD"} {
			answers[method+" "+target] = s.wants(200, method, target)
		}
		m := s.multistatus(s.wants(207, "PROPFIND", target, "Depth: 0"))
		if got := m.responses[target].dav("getlastmodified").text; got != future.UTC().Format(http.TimeFormat) {
			t.Errorf("%s: getlastmodified %s", target, got)
		}
	}
	answers["a range"] = s.wants(206, "GET", "/f", "Range: bytes=0-0")
	answers["two ranges"] = s.wants(206, "GET", "/f", "Range: bytes=0-0,2-2")
	for how, a := range answers {
		modified, err := http.ParseTime(a.header.Get("Last-Modified"))
		date, dateErr := http.ParseTime(a.header.Get("Date"))
		if err != nil || dateErr != nil || modified.After(date) {
			t.Errorf("%s: Last-Modified %s, Date %s", how, a.header.Get("Last-Modified"), a.header.Get("Date"))
		}
		// The date that was sent must not hide a change that comes before the future date.
		s.wants(200, "GET", "/f", "If-Modified-Since: "+a.header.Get("Last-Modified"))
	}
}

// TestHead: HEAD has the headers of GET, and reads nothing.
func TestHead(t *testing.T) {
	onBackends(t, garden().with(layout{"/page.html": "<p>"}), func(s *share) {
		s.before = func(op, name string) error {
			if op == "read" || op == "readdir" {
				s.Errorf("%s of %s", op, name)
			}
			return nil
		}
		heads := make(map[string]answer)
		for _, target := range []string{"/page.html", "/c/m", "/c/", "/c", "/"} {
			heads[target] = s.wants(200, "HEAD", target)
		}
		s.before = nil
		for target, head := range heads {
			get := s.wants(200, "GET", target)
			for _, header := range []string{
				"ETag", "Last-Modified", "Accept-Ranges", "Cache-Control", "Content-Type",
				"Content-Security-Policy", "X-Content-Type-Options", "Content-Disposition", "Vary", "Content-Length",
			} {
				// A header may be missing if it depends on the content (RFC 9110 §9.3.2).
				told := header == "Content-Type" && target == "/c/m" || header == "Content-Length" && target[len(target)-1] != 'm'
				if g, h := get.header.Get(header), head.header.Get(header); g != h && (!told || h != "") {
					s.Errorf("%s: %s of HEAD is %q, of GET %q", target, header, h, g)
				}
			}
		}
		// Range only applies to GET (RFC 9110 §14.2).
		if a := s.wants(200, "HEAD", "/c/m", "Range: bytes=1-2"); a.header.Get("Content-Length") != "6" {
			s.Errorf("HEAD with a range: %v", a.header)
		}
		s.wants(404, "HEAD", "/none")
	})
}

// TestGetIndexConditions: an index shows the sizes of the members, which change without
// the collection and its entity tag. So no condition gets a 304, while If and If-Match
// can hold.
func TestGetIndexConditions(t *testing.T) {
	memory := backend{"afero", func(testing.TB) (storage.FS, string) { return aferofs.New(afero.NewMemMapFs()), "" }}
	for _, b := range append(slices.Clone(backends), memory) {
		t.Run(b.name, func(t *testing.T) {
			fsys, _ := b.open(t)
			s := serve(t, fsys, &dav.Handler{}, garden())
			for _, target := range []string{"/c/", "/"} {
				before := s.wants(200, "GET", target)
				tag := before.header.Get("ETag")
				if got := s.property(target, davProp("getetag")).text; got != tag {
					t.Errorf("RFC 4918 §15.6: getetag is %s, the header says %s", got, tag)
				}
				s.send("PUT", target+"m", "a member of another size, "+target)
				for _, condition := range []string{
					"If-None-Match: " + tag,
					"If-None-Match: W/" + tag,
					"If-None-Match: *",
					"If-Modified-Since: " + time.Now().Add(time.Hour).UTC().Format(http.TimeFormat),
				} {
					if after := s.wants(200, "GET", target, condition); after.body == before.body {
						t.Errorf("%s: the page is the same", condition)
					}
					s.wants(200, "HEAD", target, condition)
				}
				tag = s.wants(200, "HEAD", target).header.Get("ETag")
				s.wants(207, "PROPFIND", target, "Depth: 0", "If: (["+tag+"])")
				s.wants(207, "PROPFIND", target, "Depth: 0", "If-Match: "+tag)
			}
		})
	}
}

// TestGetConditions: the header If and the If-Match family, on files and collections,
// with GET and HEAD. (TestPreconditions has the rules of the family.)
func TestGetConditions(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		for _, target := range []string{"/f", "/c/", "/"} {
			for _, method := range []string{"GET", "HEAD"} {
				tag := s.wants(200, method, target).header.Get("ETag")
				// An index is never known to be unchanged (TestGetIndexConditions).
				unmodified := 304
				if target != "/f" {
					unmodified = 200
				}
				if a := s.wants(unmodified, method, target, "If-None-Match: "+tag); a.header.Get("ETag") != tag || unmodified == 304 && a.body != "" {
					s.Errorf("RFC 9110 §15.4.5: %+v", a)
				}
				s.wants(200, method, target, `If-None-Match: "other"`)
				s.wants(200, method, target, "If-Match: "+tag)
				s.wants(412, method, target, `If-Match: "other"`)
				s.wants(unmodified, method, target, "If-Modified-Since: "+time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
				s.wants(412, method, target, "If-Unmodified-Since: "+time.Unix(0, 0).UTC().Format(http.TimeFormat))
				s.wants(200, method, target, "If: (["+tag+"])")
				s.wants(412, method, target, `If: (["other"])`)
				s.wants(400, method, target, "If: malformed")
			}
		}
	})
}

// TestGetFailures: the statuses for errors of the storage.
func TestGetFailures(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{fs.ErrPermission, http.StatusForbidden},
		{fs.ErrNotExist, http.StatusNotFound},
		{errors.New("the disk is broken"), http.StatusInternalServerError},
	} {
		s := serveMem(t, &dav.Handler{}, garden())
		s.fail(c.err, "open", "/f", "/c")
		s.wants(c.status, "GET", "/f")
		s.wants(c.status, "GET", "/c/")
		s.wants(c.status, "HEAD", "/f") // RFC 9110 §9.3.2
		s.wants(c.status, "HEAD", "/c/")
		s.fail(c.err, "readdir", "/c")
		s.wants(c.status, "GET", "/c/")
	}
}

// TestGetWhileReplaced: the entity tag belongs to the content that is sent, even if the
// file is replaced just before it is opened.
func TestGetWhileReplaced(t *testing.T) {
	for _, op := range []string{"stat", "open"} {
		s := serveLocal(t, &dav.Handler{}, garden())
		s.before = func(o, name string) error {
			if o == op && name == "/f" {
				s.before = nil
				write(t, s.fsys, "/next", "another file")
				if err := s.fsys.Rename(t.Context(), "/next", "/f"); err != nil {
					t.Error(err)
				}
			}
			return nil
		}
		a := s.wants(200, "GET", "/f")
		s.before = nil
		after := s.wants(200, "HEAD", "/f").header.Get("ETag")
		if isAfter := a.header.Get("ETag") == after; isAfter != (a.body == "another file") {
			t.Errorf("%s: %q has the tag %s; afterwards it is %s", op, a.body, a.header.Get("ETag"), after)
		}
	}
}

// TestGetCutShort: if a file becomes shorter while it is sent, the log reports it, and
// the client notices that the file is incomplete.
func TestGetCutShort(t *testing.T) {
	for name, c := range map[string]struct {
		size   int
		fields []string
	}{
		"short":   {4 << 10, nil},
		"long":    {1 << 20, nil},
		"a range": {1 << 20, []string{"Range: bytes=1-"}},
	} {
		t.Run(name, func(t *testing.T) {
			given := make(chan error, 1)
			s := serveLocal(t, &dav.Handler{Logger: func(_ *http.Request, err error) { given <- err }}, layout{"/f.bin": string(make([]byte, c.size))})
			s.before = func(op, name string) error {
				if op == "open" && name == "/f.bin" {
					return nil
				}
				if op == "read" || op == "seek" {
					return os.Truncate(filepath.Join(s.dir, "f.bin"), 100)
				}
				return nil
			}
			a, err := send(t, s.server, "GET", "/f.bin", "", c.fields...)
			if err == nil && a.status/100 == 2 {
				t.Errorf("%d, %d bytes", a.status, len(a.body))
			}
			if err := <-given; err == nil {
				t.Error("the log says nothing")
			}
		})
	}
}

// readerFromRecorder records the readers passed to the connection's ReadFrom.
type readerFromRecorder struct {
	http.ResponseWriter
	sources *[]io.Reader
}

func (r readerFromRecorder) ReadFrom(source io.Reader) (int64, error) {
	*r.sources = append(*r.sources, source)
	connection, ok := r.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	return connection.ReadFrom(source)
}

// TestGetSendfile: a GET passes the file itself to the connection, which lets the
// kernel send it.
func TestGetSendfile(t *testing.T) {
	for name, c := range map[string]struct {
		fields []string
		status int
		part   int
	}{
		"whole":        {nil, 200, 8 << 20},
		"a range":      {[]string{"Range: bytes=1-"}, 206, 8<<20 - 1},
		"another unit": {[]string{"Range: lines=1-"}, 200, 8 << 20},
	} {
		t.Run(name, func(t *testing.T) { testSendfile(t, c.status, c.part, c.fields...) })
	}
}

func testSendfile(t *testing.T, status, part int, fields ...string) {
	t.Helper()
	const size = 8 << 20
	fsys, dir := openLocal(t)
	if err := os.WriteFile(filepath.Join(dir, "big"), make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	var sources []io.Reader
	h := &dav.Handler{FileSystem: fsys}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(readerFromRecorder{w, &sources}, r)
	}))
	defer server.Close()
	a, err := send(t, server, "GET", "/big", "", fields...)
	if err != nil || a.status != status || len(a.body) != part {
		t.Fatalf("status %d, %d bytes, %v", a.status, len(a.body), err)
	}
	if len(sources) != 1 {
		t.Fatalf("%d calls of ReadFrom, want 1", len(sources))
	}
	limited, ok := sources[0].(*io.LimitedReader)
	if !ok {
		t.Fatalf("the source is a %T", sources[0])
	}
	if _, ok := limited.R.(*os.File); !ok {
		t.Errorf("the source is a %T, want an *os.File", limited.R)
	}
}

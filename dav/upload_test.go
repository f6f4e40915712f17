package dav_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/memstate"
	"github.com/davd/davd/storage/quota"
)

const (
	draft    = "Upload-Draft-Interop-Version: 8"
	partly   = "Upload-Complete: ?0"
	wholly   = "Upload-Complete: ?1"
	partType = "Content-Type: application/partial-upload"
)

// appended are the fields of a PATCH of an upload.
func appended(offset int, complete string, fields ...string) []string {
	return append([]string{partType, complete, "Upload-Offset: " + strconv.Itoa(offset)}, fields...)
}

// begins begins an upload and returns the URL path of its resource.
func (s *share) begins(target, body string, fields ...string) string {
	s.Helper()
	a := s.sends(http.StatusCreated, http.MethodPut, target, body, append([]string{partly}, fields...)...)
	at := a.header.Get("Location")
	if at == "" || a.header.Get("Upload-Offset") != strconv.Itoa(len(body)) || a.header.Get("Upload-Complete") != "?0" || a.header.Get("Upload-Limit") == "" {
		s.Fatalf("the answer has %v", a.header)
	}
	return at
}

// offset checks what HEAD says.
func (s *share) offset(at string, want int, complete string) {
	s.Helper()
	a := s.wants(http.StatusNoContent, http.MethodHead, at)
	if got := a.header.Get("Upload-Offset"); got != strconv.Itoa(want) || a.header.Get("Upload-Complete") != complete || a.header.Get("Cache-Control") != "no-store" {
		s.Errorf("%s has %v; want the offset %d, %s", at, a.header, want, complete)
	}
}

// contains checks the content of a file.
func (s *share) contains(name, want string) {
	s.Helper()
	if got := s.content(name); got != want {
		s.Errorf("%s has %q, want %q", name, got, want)
	}
}

// succeeds ends the test after an error.
func succeeds(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func noises(size int) string {
	content := make([]byte, size)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(content)
	return string(content)
}

func TestUpload(t *testing.T) {
	onBackends(t, layout{"/dir/": "", "/old": "x"}, func(s *share) {
		content := noises(300_000)
		for _, target := range []string{"/dir/new", "/old"} {
			at := s.begins(target, content[:100_000], "Upload-Length: 300000")
			s.offset(at, 100_000, "?0")
			a := s.sends(http.StatusNoContent, http.MethodPatch, at, content[100_000:100_001], appended(100_000, partly)...)
			if a.header.Get("Upload-Complete") != "?0" || a.header.Get("Upload-Offset") != "100001" {
				s.Errorf("the answer has %v", a.header)
			}
			if target == "/old" && s.content(target) != "x" {
				s.Error("the file has changed before the upload was complete")
			}
			if a := s.multistatus(s.wants(207, "PROPFIND", "/", "Depth: infinity")); strings.Contains(fmt.Sprint(a), "davd-") {
				s.Errorf("the stage is listed: %v", a)
			}
			want := http.StatusCreated
			if target == "/old" {
				want = http.StatusNoContent
			}
			a = s.sends(want, http.MethodPatch, at, content[100_001:], appended(100_001, wholly)...)
			if a.header.Get("Upload-Complete") != "?1" || a.header.Get("ETag") == "" {
				s.Errorf("the answer has %v", a.header)
			}
			if s.content(target) != content {
				s.Error("the file has other content")
			}
			s.offset(at, 300_000, "?1")
			s.problem(s.sends(http.StatusBadRequest, http.MethodPatch, at, "", appended(300_000, wholly)...), "completed-upload")
			s.wants(http.StatusNoContent, http.MethodDelete, at)
			s.wants(http.StatusNotFound, http.MethodHead, at)
		}
		s.holds(layout{"/dir/new": content, "/old": content})
	})
}

// problem checks the type of a problem.
func (s *share) problem(a answer, want string) {
	s.Helper()
	var problem struct {
		Type     string
		Expected int64 `json:"expected-offset"`
		Provided int64 `json:"provided-offset"`
	}
	if err := json.Unmarshal([]byte(a.body), &problem); err != nil || problem.Type != "https://iana.org/assignments/http-problem-types#"+want || a.header.Get("Content-Type") != "application/problem+json" {
		s.Errorf("the problem is %s, %v; want %s", a.body, err, want)
	}
	if want == "mismatching-upload-offset" && (problem.Expected != 3 || problem.Provided != 2 || a.header.Get("Upload-Offset") != "3") {
		s.Errorf("the problem is %s", a.body)
	}
}

func TestUploadRefused(t *testing.T) {
	s := serveLocal(t, &dav.Handler{Limits: dav.Limits{UploadSize: 10, Uploads: 12, UploadsOf: 4}}, layout{"/dir/": "", "/file": "old"})
	// A file that is not complete never becomes one.
	s.sends(http.StatusNotImplemented, "PUT", "/new", "012", partly, "Upload-Draft-Interop-Version: 7")
	s.sends(http.StatusConflict, "PUT", "/none/new", "012", partly)
	s.sends(http.StatusMethodNotAllowed, "PUT", "/dir", "012", partly)
	s.sends(http.StatusForbidden, "PUT", "/.davd-x", "012", partly)
	s.sends(http.StatusPreconditionFailed, "PUT", "/file", "012", partly, "If-None-Match: *")
	s.sends(http.StatusBadRequest, "PUT", "/new", "012", partly, "Content-Range: bytes 0-2/5")
	s.sends(http.StatusRequestEntityTooLarge, "PUT", "/new", "012", partly, "Upload-Length: 11")
	s.sends(http.StatusRequestHeaderFieldsTooLarge, "PUT", "/new", "012", partly, `If-None-Match: "`+strings.Repeat("x", 9000)+`"`)
	s.problem(s.sends(http.StatusBadRequest, "PUT", "/new", "012", partly, "Upload-Length: 2"), "inconsistent-upload-length")
	s.holds(layout{"/dir/": "", "/file": "old"})

	at := s.begins("/new", "012", "Upload-Length: 6")
	s.problem(s.sends(http.StatusConflict, "PATCH", at, "x", appended(2, partly)...), "mismatching-upload-offset")
	s.sends(http.StatusUnsupportedMediaType, "PATCH", at, "x", partly, "Upload-Offset: 3")
	s.sends(http.StatusBadRequest, "PATCH", at, "x", partType, "Upload-Offset: 3")
	s.sends(http.StatusBadRequest, "PATCH", at, "x", partType, partly)
	s.problem(s.sends(http.StatusBadRequest, "PATCH", at, "xx", appended(3, wholly)...), "inconsistent-upload-length")
	s.problem(s.sends(http.StatusBadRequest, "PATCH", at, "x", appended(3, partly, "Upload-Length: 7")...), "inconsistent-upload-length")
	s.problem(s.sends(http.StatusBadRequest, "PATCH", at, "xxxx", appended(3, partly)...), "inconsistent-upload-length")
	s.wants(http.StatusMethodNotAllowed, "GET", at)
	s.wants(http.StatusMethodNotAllowed, "PROPFIND", at)
	s.offset(at, 3, "?0")
	if a := s.wants(http.StatusNoContent, "OPTIONS", at); a.header.Get("Accept-Patch") != "application/partial-upload" || !strings.HasPrefix(a.header.Get("Upload-Limit"), "max-size=10, max-age=") {
		t.Errorf("OPTIONS has %v", a.header)
	}
	for _, none := range []string{"/.davd-uploads", "/.davd-uploads/", "/.davd-uploads/x", at + "x", at + "/x"} {
		s.wants(http.StatusNotFound, "HEAD", none)
	}
	// The limit of one client. The local address may have three times as many.
	for i := range 8 {
		s.begins("/more"+strconv.Itoa(i), "")
	}
	s.sends(http.StatusServiceUnavailable, "PUT", "/more", "", partly)
	s.wants(http.StatusNoContent, "DELETE", at)
	s.begins("/more", "")
}

// TestUploadUnlimitedLength checks that the largest size also holds for a body whose length is unknown.
func TestUploadUnlimitedLength(t *testing.T) {
	s := serveLocal(t, &dav.Handler{Limits: dav.Limits{UploadSize: 10}}, layout{})
	at := s.begins("/new", "012")
	send := func(body string, fields ...string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, s.server.URL+at, struct{ io.Reader }{strings.NewReader(body)})
		succeeds(t, err)
		for _, field := range fields {
			name, value, _ := strings.Cut(field, ": ")
			r.Header.Set(name, value)
		}
		response, err := s.server.Client().Do(r)
		succeeds(t, err)
		defer response.Body.Close()
		return response.StatusCode
	}
	if got := send("3456789", appended(3, partly)...); got != http.StatusNoContent {
		t.Errorf("10 bytes: %d", got)
	}
	if got := send("x", appended(10, partly)...); got != http.StatusRequestEntityTooLarge {
		t.Errorf("11 bytes: %d", got)
	}
	s.wants(http.StatusNotFound, "HEAD", at)
	s.holds(layout{})
}

// cut is the body of a request whose client disconnects, but not before it has been informed.
type cut struct {
	content  io.Reader
	informed <-chan struct{}
}

func (c cut) Read(p []byte) (int, error) {
	n, err := c.content.Read(p)
	if errors.Is(err, io.EOF) {
		<-c.informed
		err = errors.New("the client disconnects")
	}
	return n, err
}

// breaks sends a request whose connection breaks after body, and returns the fields of the 104s.
func (s *share) breaks(method, target, body string, fields ...string) (informed []textproto.MIMEHeader) {
	s.Helper()
	var mu sync.Mutex
	first := make(chan struct{})
	inform := sync.OnceFunc(func() { close(first) })
	if !slices.Contains(fields, draft) {
		inform() // the server will not
	}
	ctx := httptrace.WithClientTrace(s.Context(), &httptrace.ClientTrace{Got1xxResponse: func(status int, header textproto.MIMEHeader) error {
		mu.Lock()
		defer mu.Unlock()
		if status == 104 {
			informed = append(informed, header)
			inform()
		}
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, method, s.server.URL+target, cut{strings.NewReader(body), first})
	if err != nil {
		s.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	if response, err := http.DefaultTransport.RoundTrip(r); err == nil {
		_ = response.Body.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	return informed
}

// TestUploadBroken breaks the connection ten times.
func TestUploadBroken(t *testing.T) {
	onBackends(t, layout{}, func(s *share) {
		const part = 100_000
		content := noises(11 * part)
		informed := s.breaks("PUT", "/file", content[:part], wholly, draft, fmt.Sprintf("Upload-Length: %d", len(content)))
		if len(informed) != 1 || informed[0].Get("Location") == "" || informed[0].Get("Upload-Limit") == "" || informed[0].Get("Upload-Draft-Interop-Version") != "8" {
			s.Fatalf("the interim responses are %v", informed)
		}
		at := informed[0].Get("Location")
		offset := func() int {
			got, err := strconv.Atoi(s.wants(http.StatusNoContent, "HEAD", at).header.Get("Upload-Offset"))
			if err != nil || got == 0 {
				s.Fatalf("the offset is %d, %v", got, err)
			}
			return got
		}
		for range 9 {
			from := offset()
			s.breaks("PATCH", at, content[from:from+part], appended(from, wholly)...)
		}
		s.wants(http.StatusNotFound, "HEAD", "/file")
		from := offset()
		s.sends(http.StatusCreated, "PATCH", at, content[from:], appended(from, wholly)...)
		s.holds(layout{"/file": content})
	})
}

// TestUploadInOneRequest checks that a client that doesn't know the draft, or sends a short file, gets
// no upload resource.
func TestUploadInOneRequest(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{})
	for name, fields := range map[string][]string{"/unknown": {wholly}, "/other": {wholly, "Upload-Draft-Interop-Version: 6"}} {
		if informed := s.breaks("PUT", name, noises(100_000), fields...); len(informed) > 0 {
			t.Errorf("%s: %v", name, informed)
		}
	}
	// A proxy may not forward interim responses.
	interims := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error {
		interims++
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, s.server.URL+"/proxied", strings.NewReader(noises(100_000)))
	succeeds(t, err)
	for name, value := range map[string]string{"Upload-Complete": "?1", "Upload-Draft-Interop-Version": "8", "X-Forwarded-For": "192.0.2.1"} {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	succeeds(t, err)
	_ = response.Body.Close()
	if interims > 0 || response.StatusCode != http.StatusCreated {
		t.Errorf("through a proxy: %d interim responses, %d", interims, response.StatusCode)
	}
	s.wants(http.StatusNoContent, "DELETE", "/proxied")
	s.sends(http.StatusCreated, "PUT", "/short", "short", wholly, draft)
	a := s.sends(http.StatusCreated, "PUT", "/long", noises(100_000), wholly, draft)
	if a.header.Get("Upload-Complete") != "?1" {
		t.Errorf("the answer has %v", a.header)
	}
	s.holds(layout{"/short": "short", "/long": noises(100_000)})
}

// TestUploadTakesOver checks that a request about an upload ends the one before, whose client has gone
// silently.
func TestUploadTakesOver(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, layout{})
			if http2 {
				server := httptest.NewUnstartedServer(s.h)
				server.EnableHTTP2 = true
				server.StartTLS()
				t.Cleanup(server.Close)
				s.server = server
			}
			at := s.begins("/file", "0123")
			reader, writer := io.Pipe()
			writing := make(chan struct{})
			s.before = func(op, _ string) error {
				if op == "write" {
					s.before = nil
					close(writing)
				}
				return nil
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, s.server.URL+at, reader)
			succeeds(t, err)
			for _, field := range appended(4, wholly) {
				name, value, _ := strings.Cut(field, ": ")
				r.Header.Set(name, value)
			}
			ended := make(chan int, 1)
			go func() {
				response, err := s.server.Client().Do(r)
				if err != nil {
					ended <- 0
					return
				}
				_ = response.Body.Close()
				ended <- response.StatusCode
			}()
			_, err = io.WriteString(writer, "4567")
			succeeds(t, err)
			<-writing
			s.offset(at, 8, "?0")
			if got := <-ended; got != 0 && got != http.StatusConflict {
				t.Errorf("the first request got %d", got)
			}
			_ = writer.Close()
			s.sends(http.StatusCreated, "PATCH", at, "89", appended(8, wholly)...)
			s.holds(layout{"/file": "0123456789"})
		})
	}
}

// TestUploadConditions checks conditions at the end, as for a PUT that begins then.
func TestUploadConditions(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{"/old": "old"})
	etag := s.wants(200, "GET", "/old").header.Get("ETag")
	match := s.begins("/old", "new", "If-Match: "+etag)
	none := s.begins("/new", "new", "If-None-Match: *")
	s.sends(http.StatusCreated, "PUT", "/new", "other")
	s.sends(http.StatusNoContent, "PUT", "/old", "other")
	for _, at := range []string{match, none} {
		// The refusal is repeated, because the upload remains.
		for range 2 {
			s.sends(http.StatusPreconditionFailed, "PATCH", at, "", appended(3, wholly)...)
		}
		s.offset(at, 3, "?0")
	}
	s.contains("/old", "other")
	s.contains("/new", "other")
	s.wants(http.StatusNoContent, "DELETE", "/new")
	s.sends(http.StatusCreated, "PATCH", none, "", appended(3, wholly)...)
	if s.content("/new") != "new" {
		t.Error("the upload has not become the file")
	}
	mtime := s.begins("/dated", "", "X-OC-Mtime: 1000000000")
	if a := s.sends(http.StatusCreated, "PATCH", mtime, "x", appended(0, wholly)...); a.header.Get("X-OC-Mtime") != "accepted" {
		t.Errorf("the answer has %v", a.header)
	}
}

// TestUploadLocked takes a lock while an upload is under way.
func TestUploadLocked(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{"/file": "old"})
	at := s.begins("/file", "new")
	token := s.lock("/file")
	s.sends(http.StatusLocked, "PUT", "/file", "x", partly)
	s.sends(http.StatusNoContent, "PATCH", at, "er", appended(3, partly)...)
	s.sends(http.StatusLocked, "PATCH", at, "", appended(5, wholly)...)
	s.contains("/file", "old")
	s.sends(http.StatusNoContent, "PATCH", at, "", appended(5, wholly, "If: (<"+token+">)")...)
	s.holds(layout{"/file": "newer"})

	at = s.begins("/file", "locked", "If: (<"+token+">)")
	s.sends(http.StatusNoContent, "PATCH", at, "", appended(6, wholly)...)
	s.holds(layout{"/file": "locked"})
}

// TestUploadRights revokes a right while an upload is under way, and checks that others don't see it.
func TestUploadRights(t *testing.T) {
	may := access.Share{At: "/", Rules: []access.Rule{{Path: "/", Subject: access.User("ann"), Rights: storage.RightsWrite}, {Path: "/", Subject: access.User("bob"), Rights: storage.RightsWrite}}}
	mayNot := access.Share{At: "/", Rules: []access.Rule{{Path: "/", Subject: access.User("ann"), Rights: storage.RightsRead}}}
	s, rights := serveRights(t, layout{}, may)
	at := s.begins("/file", "012", "User: ann")
	s.wants(http.StatusNotFound, "HEAD", at, "User: bob")
	s.wants(http.StatusNotFound, "DELETE", at, "User: bob")
	s.sends(http.StatusNotFound, "PATCH", at, "3", appended(3, wholly, "User: bob")...)
	s.wants(http.StatusUnauthorized, "HEAD", at)
	rights.SetPolicy(rightsPolicy(t, mayNot))
	s.sends(http.StatusForbidden, "PATCH", at, "3", appended(3, wholly, "User: ann")...)
	s.wants(http.StatusNotFound, "HEAD", "/file", "User: ann")
	rights.SetPolicy(rightsPolicy(t, may))
	s.sends(http.StatusCreated, "PATCH", at, "3", appended(3, wholly, "User: ann")...)
	s.holds(layout{"/file": "0123"})
}

func TestUploadQuota(t *testing.T) {
	fsys, _ := openLocal(t)
	limited := quota.New(fsys, quota.Options{Limit: 10})
	s := serve(t, limited, &dav.Handler{}, layout{})
	at := s.begins("/file", "01234")
	s.sends(http.StatusInsufficientStorage, "PUT", "/other", "012345")
	s.sends(http.StatusInsufficientStorage, "PATCH", at, "567890", appended(5, wholly)...)
	s.offset(at, 5, "?0")
	limited.SetLimit(11)
	s.sends(http.StatusCreated, "PATCH", at, "567890", appended(5, wholly)...)
	if usage, err := limited.Usage(t.Context()); err != nil || usage.Used != 11 || usage.Pending != 0 {
		t.Errorf("the usage is %+v, %v", usage, err)
	}
	s.wants(http.StatusNoContent, "DELETE", "/file")
	cancelled := s.begins("/file", "0123456789")
	s.wants(http.StatusNoContent, "DELETE", cancelled)
	if usage, err := limited.Usage(t.Context()); err != nil || usage.Used != 0 || usage.Pending != 0 {
		t.Errorf("the usage is %+v, %v", usage, err)
	}
}

// TestUploadMoved moves and removes the collection of an upload.
func TestUploadMoved(t *testing.T) {
	onBackends(t, layout{"/dir/": "", "/gone/": ""}, func(s *share) {
		at, lost := s.begins("/dir/file", "012"), s.begins("/gone/file", "012")
		s.wants(http.StatusCreated, "MOVE", "/dir", "Destination: /moved")
		s.wants(http.StatusNoContent, "DELETE", "/gone")
		s.wants(http.StatusNotFound, "HEAD", lost)
		s.offset(at, 3, "?0")
		s.sends(http.StatusCreated, "PATCH", at, "3", appended(3, wholly)...)
		s.holds(layout{"/moved/file": "0123"})
	})
}

// TestUploadExpires checks that an abandoned upload is removed after a day, with its content.
func TestUploadExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := webdav.NewMemFS()
		c := serveBubble(t, &dav.Handler{FileSystem: fsys}).dial()
		c.send("PUT /file", "012", partly)
		_, a := c.final()
		at := a.header.Get("Location")
		time.Sleep(23 * time.Hour)
		c.send("PATCH "+at, "3", appended(3, partly)...)
		if _, a := c.final(); a.status != http.StatusNoContent {
			t.Fatalf("status %d", a.status)
		}
		time.Sleep(23 * time.Hour)
		if a := c.gets("HEAD " + at); a.status != http.StatusNoContent {
			t.Fatalf("status %d after 46 hours", a.status)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if a := c.gets("DELETE " + at); a.status != http.StatusNotFound {
			t.Errorf("status %d after 25 hours without a part", a.status)
		}
		root, err := fsys.OpenFile(t.Context(), "/", os.O_RDONLY, 0)
		succeeds(t, err)
		if left, err := root.Readdir(-1); err != nil || len(left) > 0 {
			t.Errorf("the storage contains %v, %v", left, err)
		}
	})
}

// TestUploadShutdown checks that uploads whose records are in memory leave nothing.
func TestUploadShutdown(t *testing.T) {
	state, err := memstate.New(lock.Options{})
	succeeds(t, err)
	for _, h := range []*dav.Handler{{}, {State: state}} {
		s := serveLocal(t, h, layout{})
		s.begins("/file", "012")
		succeeds(t, h.Shutdown(t.Context()))
		s.holds(layout{})
	}
}

// FuzzUploadHeaders checks that no header makes a file of a part, and that the offset is true.
func FuzzUploadHeaders(f *testing.F) {
	f.Add("?0", "", "?1", "3", "")
	f.Add("?0;a=1", "6", "?0", "2", "6")
	f.Add("?1", "3", "?1", "03", "-1")
	s := serveMem(f, &dav.Handler{}, layout{})
	f.Fuzz(func(t *testing.T, first, length, second, offset, again string) {
		for _, value := range []string{first, length, second, offset, again} {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
				return
			}
		}
		s := &share{TB: t, fsys: s.fsys, h: s.h, server: s.server}
		a := s.send("PUT", "/file", "012", "Upload-Complete: "+first, "Upload-Length: "+length)
		at := a.header.Get("Location")
		if at == "" {
			if a.status/100 == 2 && s.content("/file") != "012" {
				t.Errorf("%d", a.status)
			}
			s.send("DELETE", "/file", "")
			return
		}
		a = s.send("PATCH", at, "345", partType, "Upload-Complete: "+second, "Upload-Offset: "+offset, "Upload-Length: "+again)
		content, err := webdavContent(s, "/file")
		if complete := a.header.Get("Upload-Complete") == "?1"; complete != (err == nil) || complete && content != "012345" {
			t.Errorf("status %d, %v; the file has %q, %v", a.status, a.header, content, err)
		}
		s.send("DELETE", at, "")
		s.send("DELETE", "/file", "")
	})
}

func webdavContent(s *share, name string) (string, error) {
	file, err := s.fsys.OpenFile(s.Context(), name, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var content bytes.Buffer
	_, err = content.ReadFrom(file)
	return content.String(), err
}

// TestUploadTenants checks that an upload belongs to its tenant, not only to the name of a user.
func TestUploadTenants(t *testing.T) {
	h := &dav.Handler{
		Tenant:    func(r *http.Request) string { return r.Header.Get("Tenant") },
		Principal: func(*http.Request) string { return "ann" },
	}
	s := serveLocal(t, h, layout{})
	at := s.begins("/file", "012", "Tenant: a")
	s.wants(http.StatusNotFound, "HEAD", at, "Tenant: b")
	s.wants(http.StatusNotFound, "DELETE", at, "Tenant: b")
	s.wants(http.StatusNoContent, "HEAD", at, "Tenant: a")
	s.sends(http.StatusCreated, "PATCH", at, "3", appended(3, wholly, "Tenant: a")...)
	s.holds(layout{"/file": "0123"})
}

// TestUploadSegments sends a body that is longer than what is recorded at once.
func TestUploadSegments(t *testing.T) {
	const size = 130 << 20
	content := func() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{3}), size) }
	s := serveLocal(t, &dav.Handler{}, layout{})
	at := s.begins("/file", "")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, s.server.URL+at, content())
	succeeds(t, err)
	for _, field := range appended(0, wholly) {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	response, err := s.server.Client().Do(r)
	succeeds(t, err)
	_ = response.Body.Close()
	file, err := s.fsys.OpenFile(t.Context(), "/file", os.O_RDONLY, 0)
	succeeds(t, err)
	defer file.Close()
	want, got := sha256.New(), sha256.New()
	_, err = io.Copy(want, content())
	succeeds(t, err)
	n, err := io.Copy(got, file)
	if err != nil || n != size || !bytes.Equal(got.Sum(nil), want.Sum(nil)) || response.StatusCode != http.StatusCreated {
		t.Errorf("status %d; the file has %d bytes, %v", response.StatusCode, n, err)
	}
}

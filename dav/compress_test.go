package dav_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
)

// collectionOf returns a collection with the given number of members.
func collectionOf(members int) layout {
	l := layout{"/c/": "", "/f": "content"}
	for i := range members {
		l["/c/member "+strconv.Itoa(i)] = "x"
	}
	return l
}

// decoder returns a reader that decodes the coding.
func decoder(tb testing.TB, coding string, from io.Reader) io.Reader {
	tb.Helper()
	switch coding {
	case "gzip":
		in, err := gzip.NewReader(from)
		if err != nil {
			tb.Fatal(err)
		}
		return in
	case "zstd":
		in, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(256<<10))
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(in.Close)
		return in
	}
	tb.Fatalf("the coding is %q", coding)
	return nil
}

// decoded returns a with its body decoded.
func (s *share) decoded(coding string, a answer) answer {
	s.Helper()
	if got := a.header.Get("Content-Encoding"); got != coding || a.header.Get("Vary") != "Accept-Encoding" {
		s.Fatalf("want the coding %s: status %d, %v", coding, a.status, a.header)
	}
	body, err := io.ReadAll(decoder(s.TB, coding, strings.NewReader(a.body)))
	if err != nil {
		s.Fatal(err)
	}
	if len(a.body) > len(body)/2 {
		s.Errorf("%d bytes are %d compressed", len(body), len(a.body))
	}
	a.body = string(body)
	return a
}

func (s *share) plain(what string, a answer) {
	s.Helper()
	if a.header.Get("Content-Encoding") != "" {
		s.Errorf("%s is compressed: %v", what, a.header)
	}
}

// TestCompress: every kind of answer, in every coding.
func TestCompress(t *testing.T) {
	const accept = "Accept-Encoding: "
	tree := collectionOf(800).with(layout{"/page.html": strings.Repeat("<p>", 1000)}) // its listing is too long to be held
	s := serveLocal(t, &dav.Handler{Compress: dav.CompressAlways}, tree)
	listing, page := s.wants(207, "PROPFIND", "/c/", "Depth: 1", accept+"identity"), s.wants(200, "GET", "/c/", accept+"identity")
	if len(listing.body) < 512<<10 {
		t.Fatalf("the listing has %d bytes", len(listing.body))
	}
	s.plain("identity", listing)
	s.plain("identity", page)
	for _, coding := range []string{"gzip", "zstd"} {
		if a := s.decoded(coding, s.wants(207, "PROPFIND", "/c/", "Depth: 1", accept+coding)); a.body != listing.body {
			t.Errorf("%s: another listing, of %d bytes", coding, len(a.body))
		}
		a := s.decoded(coding, s.wants(200, "GET", "/c/", accept+coding))
		if a.body != page.body || a.header.Get("ETag") != "W/"+page.header.Get("ETag") {
			t.Errorf("%s: another page, of %d bytes, with %v", coding, len(a.body), a.header)
		}
		if a := s.wants(200, "HEAD", "/c/", accept+coding); a.header.Get("Vary") != "Accept-Encoding" || a.body != "" {
			t.Errorf("RFC 9110 §9.3.2: %+v", a)
		}
		s.plain("a file", s.wants(200, "GET", "/page.html", accept+coding))
		s.plain("a range", s.wants(206, "GET", "/page.html", accept+coding, "Range: bytes=0-2000"))
		s.plain("what is short", s.wants(207, "PROPFIND", "/f", "Depth: 0", accept+coding))
		s.plain("an error", s.wants(404, "PROPFIND", "/none", accept+coding))
		s.decoded(coding, s.wants(207, "PROPFIND", "/c/", "Depth: 1", accept+coding+", identity;q=0"))
	}
	if s.h.Compress = dav.CompressAuto; true {
		s.plain("what stays on this machine", s.wants(207, "PROPFIND", "/c/", "Depth: 1", accept+"gzip"))
		s.decoded("gzip", s.wants(207, "PROPFIND", "/c/", "Depth: 1", accept+"gzip", "X-Forwarded-For: 192.0.2.1"))
	}
	if s.h.Compress = dav.CompressNever; true {
		s.plain("what is not to be", s.wants(207, "PROPFIND", "/c/", "Depth: 1", accept+"gzip", "X-Forwarded-For: 192.0.2.1"))
		if a := s.wants(200, "GET", "/c/", accept+"gzip"); a.header.Get("Vary") != "" {
			t.Errorf("%v", a.header)
		}
	}
}

// TestCompressFailures: a multi-status that names failures.
func TestCompressFailures(t *testing.T) {
	s := serveMem(t, &dav.Handler{Compress: dav.CompressAlways}, collectionOf(40))
	s.before = func(op, name string) error {
		if op == "remove" && strings.HasPrefix(name, "/c/") {
			return fs.ErrPermission
		}
		return nil
	}
	a := s.decoded("gzip", s.wants(207, "DELETE", "/c/", "Accept-Encoding: gzip"))
	if m := s.multistatus(a); len(m.responses) != 40 {
		t.Errorf("%d members", len(m.responses))
	}
}

// TestCompressInterim: interim responses are sent before the compressed answer.
func TestCompressInterim(t *testing.T) {
	h := &dav.Handler{Compress: dav.CompressAlways, Interim: interim.Policy{Mode: interim.Always, After: -1}}
	s := serveMem(t, h, collectionOf(40))
	c := s.dial()
	c.write("PROPFIND /c/ HTTP/1.1\nDepth: 1\nAccept-Encoding: zstd\n\n")
	if a := c.response(); a.status != 102 || len(a.header) != 1 || a.header.Get("Progress") == "" {
		t.Errorf("%+v", a)
	}
	if m := s.multistatus(s.decoded("zstd", c.response())); len(m.responses) != 41 {
		t.Errorf("%d members", len(m.responses))
	}
}

// TestCompressStream: while the storage hangs in the middle of a listing, the client
// can decode the part before, and then the newlines that keep the connection alive.
func TestCompressStream(t *testing.T) {
	for _, coding := range []string{"gzip", "zstd"} {
		t.Run(coding, func(t *testing.T) {
			h := &dav.Handler{Compress: dav.CompressAlways, Interim: interim.Policy{Mode: interim.Never, After: -1, Every: 5 * time.Millisecond}}
			s := serveMem(t, h, layout{"/a/1": "", "/a/2": "", "/a/3": "", "/b/1": "", "/b/2": "", "/b/3": ""})
			first, hang := "", make(chan struct{})
			var once sync.Once
			goOn := func() { once.Do(func() { close(hang) }) }
			t.Cleanup(goOn) // before the server closes
			s.before = func(op, name string) error {
				switch {
				case op != "readdir" || name == "/":
				case first == "":
					first = name
				case name != first:
					<-hang
				}
				return nil
			}
			c := s.dial()
			// Dead properties would be read in batches.
			const ask = `<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`
			c.write("PROPFIND / HTTP/1.1\nDepth: infinity\nAccept-Encoding: " + coding + "\nContent-Length: " + strconv.Itoa(len(ask)) + "\n\n" + ask)
			response, err := http.ReadResponse(c.in, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			in := bufio.NewReader(decoder(t, response.Header.Get("Content-Encoding"), response.Body))
			var got bytes.Buffer
			newlines := 0
			// Which of the collections was read first decides how many elements can come.
			for newlines < 3 {
				b, err := in.ReadByte()
				if err != nil {
					t.Fatalf("%v after %s", err, got.String())
				}
				if got.WriteByte(b); b == '\n' && strings.HasSuffix(got.String(), "\n\n") {
					newlines++
				}
			}
			if so := strings.TrimRight(got.String(), "\n"); strings.Count(so, "</D:response>") < 2 || !strings.HasSuffix(so, "</D:response>") {
				t.Errorf("so far it is %s", so)
			}
			goOn()
			if _, err := in.WriteTo(&got); err != nil {
				t.Fatal(err)
			}
			a := answer{status: response.StatusCode, header: response.Header, body: got.String()}
			if m := s.multistatus(a); len(m.responses) != 9 {
				t.Errorf("%d members in %s", len(m.responses), a.body)
			}
		})
	}
}

// TestCompressMany: encoders are reused, but never by two answers at a time.
func TestCompressMany(t *testing.T) {
	s := serveLocal(t, &dav.Handler{Compress: dav.CompressAlways}, collectionOf(300))
	want := s.wants(207, "PROPFIND", "/c/", "Depth: 1", "Accept-Encoding: identity").body
	var clients sync.WaitGroup
	for i := range 8 {
		coding := []string{"gzip", "zstd"}[i%2]
		clients.Go(func() {
			for range 10 {
				a, err := send(t, s.server, "PROPFIND", "/c/", "", "Depth: 1", "Accept-Encoding: "+coding)
				if err != nil {
					t.Error(err)
					return
				}
				content, err := io.ReadAll(decoder(t, coding, strings.NewReader(a.body)))
				if err != nil || string(content) != want {
					t.Errorf("%s: %d bytes, %v", coding, len(content), err)
				}
			}
		})
	}
	clients.Wait()
}

// BenchmarkCompress measures how much time compressing a listing takes, and how much it
// saves.
func BenchmarkCompress(b *testing.B) {
	for _, coding := range []string{"identity", "gzip", "zstd"} {
		b.Run(coding, func(b *testing.B) {
			s := serveLocal(b, &dav.Handler{Compress: dav.CompressAlways}, collectionOf(20_000))
			size := 0
			for b.Loop() {
				a := s.wants(207, "PROPFIND", "/c/", "Depth: 1", "Accept-Encoding: "+coding)
				size = len(a.body)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

func ExampleCompression() {
	h := &dav.Handler{Compress: dav.CompressNever} // a proxy in front compresses
	fmt.Println(h.Compress)
	// Output: never
}

package compress

import (
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/davd/davd/dav/internal/davxml"
	"github.com/davd/davd/dav/internal/wiretest"
)

// decode returns the text that a client can decode from body. whole: body is complete.
func decode(tb testing.TB, coding, body string) (text string, whole bool) {
	tb.Helper()
	var from io.Reader
	switch coding {
	case "":
		return body, true
	case "gzip":
		in, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			tb.Fatal(err)
		}
		from = in
	case "zstd":
		in, err := zstd.NewReader(strings.NewReader(body), zstd.WithDecoderConcurrency(1))
		if err != nil {
			tb.Fatal(err)
		}
		defer in.Close()
		from = in
	default:
		tb.Fatalf("the coding %q", coding)
	}
	content, err := io.ReadAll(from)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		tb.Fatal(err)
	}
	return string(content), err == nil
}

// TestCompressorFlush: after each flush the client can decode everything written
// before, and after Finish the body is complete.
func TestCompressorFlush(t *testing.T) {
	var encoders Encoders
	for coding := range codings {
		for seed := range uint64(50) {
			random := rand.New(rand.NewPCG(seed, 0))
			w := wiretest.New()
			w.Header().Set("Content-Type", davxml.ContentType)
			c := &Writer{ResponseWriter: w, encoders: &encoders, coding: coding}
			c.WriteHeader(http.StatusMultiStatus)
			var written strings.Builder
			flushed := false
			for range random.IntN(40) {
				n := random.IntN(1 << random.IntN(17))
				element := strings.Repeat("<D:response/>", n/13+1)[:n]
				if random.IntN(4) == 0 {
					element = "\n"
				}
				written.WriteString(element)
				if n, err := c.Write([]byte(element)); n != len(element) || err != nil {
					t.Fatal(n, err)
				}
				if random.IntN(3) > 0 {
					continue
				}
				if err := c.FlushError(); err != nil {
					t.Fatal(err)
				}
				flushed = true
				if got, whole := decode(t, coding.String(), w.Body()); got != written.String() || whole {
					t.Fatalf("%s, seed %d: %d bytes of %d, whole: %v", coding.String(), seed, len(got), written.Len(), whole)
				}
			}
			if err := c.Finish(); err != nil {
				t.Fatal(err)
			}
			c.Release()
			used := ""
			if flushed || written.Len() >= compressFrom {
				used = coding.String()
			}
			if got := w.Header().Get("Content-Encoding"); got != used {
				t.Fatalf("%d bytes are in %q, want %q", written.Len(), got, used)
			}
			if got, whole := decode(t, used, w.Body()); got != written.String() || !whole {
				t.Fatalf("%s, seed %d: %d bytes of %d, whole: %v", coding.String(), seed, len(got), written.Len(), whole)
			}
		}
	}
	if n := encoders.inUse.Load(); n != 0 {
		t.Errorf("%d encoders were not given back", n)
	}
}

// TestCompressorHeader: which answers are compressed, and the headers that they get.
func TestCompressorHeader(t *testing.T) {
	long := strings.Repeat("x", compressFrom)
	for _, c := range []struct {
		name         string
		status       int
		field, value string
		body         string
		must         bool
		compressed   bool
	}{
		{"long enough", 207, "", "", long, false, true},
		{"too short", 207, "", "", long[1:], false, false},
		{"announced, long enough", 207, "Content-Length", "1024", long, false, true},
		{"announced, too short", 207, "Content-Length", "1023", long[1:], false, false},
		{"RFC 9110 §12.5.3 short, identity refused", 207, "", "", "x", true, true},
		{"short and announced, identity refused", 207, "Content-Length", "1", "x", true, true},
		{"empty, identity refused", 207, "", "", "", true, false},
		{"RFC 9110 §15.3.5", 204, "", "", "", true, false},
		{"RFC 9110 §15.4.5", 304, "ETag", `"x"`, "", true, false},
		{"RFC 9110 §8.8.3.3 another tag", 200, "ETag", `"x"`, long, false, true},
		{"a weak tag", 200, "ETag", `W/"x"`, long, false, true},
		{"in a coding", 200, "Content-Encoding", "br", long, true, false},
		{"of another type", 200, "Content-Type", "image/png", long, true, false},
		{"a stream of events", 200, "Content-Type", "text/event-stream", long, true, false},
		{"HTML", 200, "Content-Type", "text/html; charset=utf-8", long, false, true},
		{"Vary without Accept-Encoding", 207, "Vary", "Prefer", long, false, true},
		{"Vary with Accept-Encoding", 207, "Vary", "Prefer, accept-encoding", long, false, true},
	} {
		w := wiretest.New()
		out := &Writer{ResponseWriter: w, encoders: new(Encoders), coding: codingGzip, must: c.must}
		out.WriteHeader(http.StatusProcessing)
		w.Header().Set("Content-Type", davxml.ContentType)
		if c.field != "" {
			w.Header().Set(c.field, c.value)
		}
		out.WriteHeader(c.status)
		out.WriteHeader(http.StatusInternalServerError) // too late
		if c.body != "" {
			if _, err := out.Write([]byte(c.body)); err != nil {
				t.Fatal(err)
			}
		}
		if err := out.Finish(); err != nil {
			t.Fatal(err)
		}
		out.Release()
		if err := w.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		final := w.Events[1]
		used := final.Header.Get("Content-Encoding")
		if got := used == "gzip"; got != c.compressed || final.Status != c.status {
			t.Errorf("%s: compressed: %v, %+v", c.name, got, final)
		}
		if !c.compressed {
			continue
		}
		if got, whole := decode(t, used, w.Body()); got != c.body || !whole {
			t.Errorf("%s: %d bytes, whole: %v", c.name, len(got), whole)
		}
		header := final.Header
		if tag := header.Get("ETag"); tag != "" && tag != `W/"x"` {
			t.Errorf("%s: the entity tag %s", c.name, tag)
		}
		vary := strings.ToLower(strings.Join(header["Vary"], ", "))
		if header.Get("Content-Length") != "" || strings.Count(vary, "accept-encoding") != 1 {
			t.Errorf("%s: %v", c.name, header)
		}
	}
}

// TestCompressorAtMost: beyond the limit an answer is sent uncompressed.
func TestCompressorAtMost(t *testing.T) {
	var encoders Encoders
	var taken []encoder
	for range maxEncoders {
		taken = append(taken, encoders.take(codingGzip, io.Discard))
	}
	body := strings.Repeat("x", compressFrom)
	write := func() string {
		w := wiretest.New()
		w.Header().Set("Content-Type", davxml.ContentType)
		c := &Writer{ResponseWriter: w, encoders: &encoders, coding: codingGzip}
		defer c.Release()
		if _, err := c.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
		if err := c.Finish(); err != nil {
			t.Fatal(err)
		}
		return w.Header().Get("Content-Encoding") + ":" + w.Body()
	}
	if got := write(); got != ":"+body {
		t.Errorf("%.40q", got)
	}
	for _, e := range taken {
		encoders.giveBack(codingGzip, e)
	}
	if got := write(); !strings.HasPrefix(got, "gzip:") {
		t.Errorf("%.40q", got)
	}
}

package dav_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/interim"
)

var update = flag.Bool("update", false, "rewrite the golden transcripts")

// enough is how many interim responses an operation waits for before it goes
// on, in a transcript in which there are any.
const enough = 3

// exchange is one request of a transcript.
type exchange struct {
	request string // request line and header, without Host
	body    string
	// interim: the operation goes on only after enough interim responses.
	interim bool
}

const propfindBody = `<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/></prop></propfind>`

// next is the request that shows that the connection is still in step.
var next = exchange{request: "GET /src/a.txt HTTP/1.1\r\n"}

var transcripts = map[string]struct {
	mode      interim.Mode
	exchanges []exchange
}{
	"copy":     {interim.Always, []exchange{{request: "COPY /src/ HTTP/1.1\r\nDestination: /dst/\r\n", interim: true}, next}},
	"move":     {interim.Always, []exchange{{request: "MOVE /src/c/ HTTP/1.1\r\nDestination: /moved/\r\n", interim: true}, next}},
	"delete":   {interim.Always, []exchange{{request: "DELETE /src/c/ HTTP/1.1\r\n", interim: true}, next}},
	"propfind": {interim.Always, []exchange{{request: "PROPFIND /src/c/ HTTP/1.1\r\nDepth: 1\r\nContent-Type: application/xml\r\n", body: propfindBody, interim: true}, next}},
	"asked":    {interim.Auto, []exchange{{request: "DELETE /src/c/ HTTP/1.1\r\nPrefer: processing\r\n"}, next}},
	"known client in auto": {interim.Auto, []exchange{
		{request: "COPY /src/ HTTP/1.1\r\nUser-Agent: davfs2/1.6.1 neon/0.32.5\r\nDestination: http://davd.test/dst/\r\n", interim: true}, next,
	}},
	"unknown client in auto": {interim.Auto, []exchange{
		{request: "COPY /src/ HTTP/1.1\r\nUser-Agent: python-requests/2.28.1\r\nDestination: /dst/\r\n"}, next,
	}},
	"proxy in auto": {interim.Auto, []exchange{
		{request: "COPY /src/ HTTP/1.1\r\nUser-Agent: davfs2/1.6.1 neon/0.32.5\r\nX-Forwarded-For: 127.0.0.1\r\nDestination: /dst/\r\n"}, next,
	}},
	"never": {interim.Never, []exchange{{request: "COPY /src/ HTTP/1.1\r\nPrefer: processing\r\nDestination: /dst/\r\n"}, next}},
	"via HTTP 1.0": {interim.Always, []exchange{
		{request: "COPY /src/ HTTP/1.1\r\nVia: 1.0 proxy.test\r\nPrefer: processing\r\nDestination: /dst/\r\n"}, next,
	}},
	"HTTP 1.0": {interim.Always, []exchange{{request: "COPY /src/ HTTP/1.0\r\nPrefer: processing\r\nDestination: /dst/\r\n"}}},
	"refused before it begins": {interim.Always, []exchange{
		{request: "COPY /src/ HTTP/1.1\r\nDestination: /src/c/d/\r\n"},
		{request: "MOVE /missing HTTP/1.1\r\nDestination: /dst\r\n"},
		{request: "PROPFIND /missing HTTP/1.1\r\nDepth: 0\r\n"},
		next,
	}},
	"get": {interim.Always, []exchange{
		{request: "GET /src/a.txt HTTP/1.1\r\nRange: bytes=3-6\r\n"},
		{request: "GET /src/a.txt HTTP/1.1\r\nIf-None-Match: *\r\n"},
		{request: "GET /src/a.txt HTTP/1.1\r\nIf-Match: \"other\"\r\n"},
		{request: "HEAD /src/a.txt HTTP/1.1\r\n"},
		{request: "GET /src HTTP/1.1\r\n"},
		{request: "HEAD /src/ HTTP/1.1\r\n"},
		{request: "POST /src/a.txt HTTP/1.1\r\n", body: "posted"},
		{request: "OPTIONS /src/ HTTP/1.1\r\n"},
		next,
	}},
	"put": {interim.Always, []exchange{
		{request: "PUT /src/b.txt HTTP/1.1\r\n", body: "new"},
		{request: "PUT /src/b.txt HTTP/1.1\r\n", body: "newer"},
		{request: "PUT /src/b.txt HTTP/1.1\r\nIf-None-Match: *\r\n", body: "never"},
		{request: "PUT /src/b.txt HTTP/1.1\r\nContent-Range: bytes 0-4/5\r\n", body: "never"},
		{request: "PUT /src/b.txt HTTP/1.1\r\nContent-Encoding: gzip\r\n", body: "never"},
		{request: "PUT /none/b.txt HTTP/1.1\r\n", body: "never"},
		{request: "PUT /src/ HTTP/1.1\r\n", body: "never"},
		{request: "GET /src/b.txt HTTP/1.1\r\n"},
		next,
	}},
	"mkcol": {interim.Always, []exchange{
		{request: "MKCOL /new/ HTTP/1.1\r\n"},
		{request: "MKCOL /new/ HTTP/1.1\r\n"},
		{request: "MKCOL /none/new/ HTTP/1.1\r\n"},
		{request: "MKCOL /newer/ HTTP/1.1\r\nContent-Type: application/xml\r\n", body: "<mkcol/>"},
		next,
	}},
	"methods without interim responses": {interim.Always, []exchange{
		{request: "LOCK /src/a.txt HTTP/1.1\r\nPrefer: processing\r\nDepth: 0\r\n", body: `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`},
		{request: "PUT /new.txt HTTP/1.1\r\nPrefer: processing\r\n", body: "new"},
		next,
	}},
}

// transcriptServer serves plant's tree. Each interim response counts for the
// gate, which opens after enough; those that are due at once come before it
// is reached.
func transcriptServer(t *testing.T, mode interim.Mode) (*httptest.Server, *gate) {
	t.Helper()
	g := newGate(plant(t))
	sent := 0 // by one operation after the other
	h := &dav.Handler{FileSystem: g, Interim: interim.Policy{
		Mode: mode, After: -1, Every: time.Millisecond,
		Sent: func(*http.Request, http.Header) {
			if sent++; sent%enough == 0 {
				g.open()
			}
		},
	}}
	// A header of another handler must not get onto an interim response.
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Lock-Token", "<urn:not-for-interim-responses>")
		w.Header().Set("Content-Language", "en")
		h.ServeHTTP(w, r)
	})
	return httptest.NewUnstartedServer(outer), g
}

func TestTranscripts(t *testing.T) {
	for name, c := range transcripts {
		t.Run(name, func(t *testing.T) {
			server, g := transcriptServer(t, c.mode)
			server.Start()
			defer server.Close()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			var transcript bytes.Buffer
			in := bufio.NewReader(conn)
			for _, x := range c.exchanges {
				if x.interim {
					g.close()
				}
				request := x.request + "Host: davd.test\r\n"
				if x.body != "" {
					request += "Content-Length: " + strconv.Itoa(len(x.body)) + "\r\n"
				}
				request += "\r\n" + x.body
				if _, err := io.WriteString(conn, request); err != nil {
					t.Fatal(err)
				}
				transcribe(&transcript, "> ", request)
				interims := readResponse(t, in, &transcript, strings.HasPrefix(request, "HEAD "))
				if x.interim && interims < enough {
					t.Errorf("%d interim responses, want %d", interims, enough)
				}
			}
			golden(t, "http1", name, transcript.Bytes())
		})
	}
}

// readResponse appends a response to the transcript: of several interim
// responses in a row the first, with what differs between two runs masked. It
// returns how many there were. The response to a HEAD has no body.
func readResponse(t *testing.T, in *bufio.Reader, transcript *bytes.Buffer, head bool) (interims int) {
	t.Helper()
	for {
		fields, err := readHead(in)
		if err != nil {
			t.Fatalf("%v after %q", err, fields)
		}
		if !strings.HasPrefix(fields, "HTTP/1.1 1") && !strings.HasPrefix(fields, "HTTP/1.0 1") {
			transcribe(transcript, "< ", fields)
			if !head {
				transcribe(transcript, "< ", readBody(t, in, fields))
			}
			return interims
		}
		if interims++; interims == 1 {
			transcribe(transcript, "< ", fields)
		}
	}
}

func readHead(in *bufio.Reader) (string, error) {
	var head strings.Builder
	for {
		line, err := in.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String(), err
		}
	}
}

func readBody(t *testing.T, in *bufio.Reader, head string) string {
	t.Helper()
	_, fields, _ := strings.Cut(head, "\r\n")
	header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(fields))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	var body io.Reader = strings.NewReader("")
	if header.Get("Transfer-Encoding") == "chunked" {
		body = httputil.NewChunkedReader(in)
	} else if n, err := strconv.Atoi(header.Get("Content-Length")); err == nil {
		body = io.LimitReader(in, int64(n))
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// masks are what differs from one run to the next.
var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(?mi)^(< date: |< last-modified: ).*$`), "${1}(a date)"},
	{regexp.MustCompile(`(?mi)^(< progress: ).*$`), "${1}(fraction, name, bytes)"},
	{regexp.MustCompile(`(?mi)^(< etag: ).*$`), "${1}(an entity tag)"},
	{regexp.MustCompile(`(\.davd-operations/)[0-9a-z]{26}`), "${1}(an ID)"},
	{regexp.MustCompile(`urn:uuid:[0-9a-f-]{36}`), "(a token)"},
	{regexp.MustCompile(`<td>\d{4}-\d\d-\d\d \d\d:\d\d</td>`), "<td>(a date)</td>"},
}

func transcribe(transcript *bytes.Buffer, mark, text string) {
	if text == "" {
		return
	}
	text = strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\r", "")
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(mark+line, " ")
		for _, m := range masks {
			line = m.pattern.ReplaceAllString(line, m.with)
		}
		transcript.WriteString(line + "\n")
	}
}

func golden(t *testing.T, protocol, name string, got []byte) {
	t.Helper()
	file := filepath.Join("..", "testdata", "wire", protocol, strings.ReplaceAll(name, " ", "-")+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./dav -run Transcript -update makes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the transcript differs from %s:\n--- got\n%s--- want\n%s", file, got, want)
	}
}

// TestTranscriptsHTTP2 are the same over HTTP/2 with TLS, as net/http's client
// sees them.
func TestTranscriptsHTTP2(t *testing.T) {
	for name, c := range transcripts {
		if strings.HasPrefix(name, "HTTP 1.0") {
			continue // there is no HTTP/1.0 in HTTP/2
		}
		t.Run(name, func(t *testing.T) {
			server, g := transcriptServer(t, c.mode)
			server.EnableHTTP2 = true
			server.StartTLS()
			defer server.Close()
			var transcript bytes.Buffer
			for i, x := range c.exchanges {
				if x.interim {
					g.close()
				}
				interims, reused := exchangeHTTP2(t, server, x, &transcript)
				if x.interim && interims < enough {
					t.Errorf("%d interim responses, want %d", interims, enough)
				}
				if i > 0 && !reused {
					t.Error("the connection did not survive the request before")
				}
			}
			golden(t, "http2", name, transcript.Bytes())
		})
	}
}

func exchangeHTTP2(t *testing.T, server *httptest.Server, x exchange, transcript *bytes.Buffer) (interims int, reused bool) {
	t.Helper()
	trace := &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused },
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			if interims++; interims == 1 {
				transcribe(transcript, "< ", headHTTP2(code, http.Header(header)))
			}
			return nil
		},
	}
	line, fields, _ := strings.Cut(x.request, "\r\n")
	parts := strings.Fields(line)
	ctx := httptrace.WithClientTrace(t.Context(), trace)
	request, err := http.NewRequestWithContext(ctx, parts[0], server.URL+parts[1], strings.NewReader(x.body))
	if err != nil {
		t.Fatal(err)
	}
	header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(fields + "\r\n"))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	request.Header, request.Host = http.Header(header), "davd.test"
	transcribe(transcript, "> ", ":method: "+parts[0]+"\n:path: "+parts[1]+"\n"+strings.ReplaceAll(fields, "\r", "")+"\n"+x.body)
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.ProtoMajor != 2 || response.TLS.NegotiatedProtocol != "h2" || response.TLS.Version < tls.VersionTLS12 {
		t.Fatalf("not HTTP/2 but %s", response.Proto)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	transcribe(transcript, "< ", headHTTP2(response.StatusCode, response.Header))
	transcribe(transcript, "< ", string(body))
	return interims, reused
}

func headHTTP2(status int, header http.Header) string {
	var b strings.Builder
	fmt.Fprintf(&b, ":status: %d\n", status)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			fmt.Fprintf(&b, "%s: %s\n", strings.ToLower(name), value)
		}
	}
	b.WriteString("\n")
	return b.String()
}

package dav_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// link is a link of the page of a collection.
type link struct{ href, text string }

// index checks that a is a page, which must be well-formed except for its head, and
// returns its links.
func (s *share) index(a answer) (links []link) {
	s.Helper()
	if a.status != 200 || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
		s.Fatalf("status %d, %v", a.status, a.header)
	}
	_, body, found := strings.Cut(a.body, "</head>\n<body>")
	body, end, closed := strings.Cut(body, "</body>")
	if !found || !closed || end != "\n</html>\n" {
		s.Fatalf("no page: %s", a.body)
	}
	tokens := xml.NewDecoder(strings.NewReader(body))
	for {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			return links
		}
		if err != nil {
			s.Fatalf("%v in %s", err, body)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if !slices.Contains([]string{"h1", "bdi", "table", "thead", "tbody", "tr", "th", "td", "a", "p", "span"}, token.Name.Local) {
				s.Errorf("an element %s", token.Name.Local)
			}
			if token.Name.Local == "a" {
				links = append(links, link{href: token.Attr[0].Value})
			}
		case xml.CharData:
			if len(links) > 0 && strings.Count(body[:tokens.InputOffset()], "<a ") != strings.Count(body[:tokens.InputOffset()], "</a>") {
				links[len(links)-1].text += string(token)
			}
		}
	}
}

// TestIndex: the page lists the members of a collection, collections first, each with a
// link to it.
func TestIndex(t *testing.T) {
	tree := layout{
		"/top": "", "/c/b": "1", "/c/B": "2", "/c/A": "3", "/c/ab": "4", "/c/z/": "", "/c/Y/": "", "/c/.davd-x": "secret",
		"/c/z/deep": "x", "/.davd-y/": "",
	}
	onBackends(t, tree, func(s *share) {
		inC := []string{"../", "Y/", "z/", "A", "ab", "B", "b"}
		for _, c := range []struct {
			target string
			want   []string
		}{
			{"/c/", inC},
			{"/c", inC},
			{"/c//", inC},
			{"/c/z/..%2F", inC},
			{"/", []string{"c/", "top"}},
			{"/c/z/", []string{"../", "deep"}},
			{"/c/Y/", []string{"../"}},
		} {
			links := s.index(s.wants(200, "GET", c.target))
			var texts []string
			for _, l := range links {
				texts = append(texts, l.text)
			}
			if !slices.Equal(texts, c.want) {
				s.Errorf("%s: %q, want %q", c.target, texts, c.want)
			}
		}
	})
}

// hostile are names with characters that have a meaning in HTML, URLs or file systems.
var hostile = layout{
	"/n/<script>alert(1)<": "1", "/n/javascript:alert(1)": "2", `/n/"quote' & amp;`: "3", "/n/new\nline": "4", "/n/#hash?query=1%41": "5",
	"/n/%2e%2e": "6", "/n/..hidden": "7", "/n/ leading": "8", "/n/a\\b": "9", "/n/\xff\xfe": "10", "/n/\u202efdp.exe": "11",
	"/n/ä/": "", "/n/]]>": "12", "/n/&lt;": "13", "/n/\x1b[31m": "14", "/n/-->": "15", "/n/~": "16", "/n/a;b,c=d@e": "17", "/n/n": "18",
}

// TestIndexLinks: relative to any form of the request URI, each link leads to its
// member.
func TestIndexLinks(t *testing.T) {
	onBackends(t, hostile, func(s *share) {
		s.h.Prefix = "/dav"
		names := make(map[string]bool)
		for _, target := range []string{"/dav/n/", "/dav/n", "/dav/n/%C3%A4", "/dav/n/%C3%A4/", "/dav//n//", "/dav/%6E", "/dav", "/dav/"} {
			base, err := url.Parse(s.server.URL + target)
			if err != nil {
				s.Fatal(err)
			}
			for _, l := range s.index(s.wants(200, "GET", target)) {
				u, err := base.Parse(l.href)
				if err != nil || u.Host != base.Host {
					s.Errorf("%s: %q leads to %v, %v", target, l.href, u, err)
					continue
				}
				a := s.wants(200, "GET", u.EscapedPath())
				name := strings.TrimPrefix(u.Path, "/dav")
				if content, isFile := hostile[name]; isFile {
					names[name] = true
					if !strings.HasSuffix(name, "/") && a.body != content {
						s.Errorf("%s: %q is %q, want %q", target, l.href, a.body, content)
					}
				}
			}
		}
		if len(names) != len(hostile) {
			s.Errorf("links to %v alone", names)
		}
	})
}

// TestIndexBehindStripPrefix: the links are relative to the URL that the client sent,
// not to what StripPrefix leaves of it.
func TestIndexBehindStripPrefix(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	s.server.Config.Handler = http.StripPrefix("/outside", s.h)
	for target, want := range map[string]string{"/outside": "./outside/f", "/outside/": "./f", "/outside/c": "./c/m"} {
		links := s.index(s.wants(200, "GET", target))
		if got := links[len(links)-1].href; got != want && !slices.Contains(links, link{want, want[strings.LastIndexByte(want, '/')+1:]}) {
			t.Errorf("%s: %v, want %s", target, links, want)
		}
	}
}

// TestIndexIsSafe: the page runs no scripts and loads nothing, and no name can reverse
// the order of its characters.
func TestIndexIsSafe(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, hostile)
	a := s.wants(200, "GET", "/n/")
	_, style, _ := strings.Cut(a.body, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := a.header.Get("Content-Security-Policy"); got != want {
		t.Errorf("Content-Security-Policy %q, want %q", got, want)
	}
	if got := a.header.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options %q", got)
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	for _, never := range []string{"<script", "\"javascript:", "\u202e", "\x1b", "url(", "@import", "http:", "https:"} {
		if strings.Contains(a.body, never) {
			t.Errorf("%q is in %s", never, a.body)
		}
	}
	if !strings.Contains(a.body, `<meta name="viewport" content="width=device-width`) || !strings.Contains(style, "color-scheme: light dark") {
		t.Error("it is made for one kind of screen")
	}
	for _, l := range s.index(a) {
		if !strings.HasPrefix(l.href, "./") && l.href != "../" {
			t.Errorf("%q is not relative", l.href)
		}
	}
}

// TestIndexSpecials: files that can't be read are not shown.
func TestIndexSpecials(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{"/c/file": "x", "/c/in/m": "y"})
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"nowhere": "none", "out": outside, "loop": "loop", "inside": "in", "to-file": "file"} {
		if err := os.Symlink(target, filepath.Join(s.dir, "c", name)); err != nil {
			t.Fatal(err)
		}
	}
	var texts []string
	for _, l := range s.index(s.wants(200, "GET", "/c/")) {
		texts = append(texts, l.text)
	}
	if got, want := strings.Join(texts, " "), "../ in/ inside/ file to-file"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestIndexSizes: a row has Apache's columns, which lftp reads. A size begins with the
// exact number of bytes, because lftp relies on that number.
func TestIndexSizes(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, layout{"/c/": ""})
	when := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	want := map[string]string{}
	for i, c := range []struct {
		size int64
		text string
	}{
		{0, "0 B"},
		{999, "999 B"},
		{1000, "<span>1000 </span>1.0 kB"},
		{9949, "<span>9949 </span>9.9 kB"},
		{9950, "<span>9950 </span>10 kB"},
		{999_499, "<span>999499 </span>999 kB"},
		{999_500, "<span>999500 </span>1.0 MB"},
		{1_234_567, "<span>1234567 </span>1.2 MB"},
		{7_700_000_000, "<span>7700000000 </span>7.7 GB"},
		{5_000_000_000_000, "<span>5000000000000 </span>5.0 TB"},
	} {
		name := filepath.Join(s.dir, "c", strconv.Itoa(i))
		if err := errors.Join(os.WriteFile(name, nil, 0o600), os.Truncate(name, c.size), os.Chtimes(name, when, when)); err != nil {
			t.Fatal(err)
		}
		want[strconv.Itoa(i)] = c.text
	}
	body := s.wants(200, "GET", "/c/").body
	for name, text := range want {
		row := `<bdi>` + name + `</bdi></a></td><td>2026-02-03 04:05</td><td>` + text + `</td></tr>`
		if !strings.Contains(body, row) {
			t.Errorf("no %s", row)
		}
	}
}

// unwell is storage with one member that can't be described.
type unwell struct {
	storage.FS
	err error
}

type unwellListing struct {
	storage.Listing
	err error
}

type unwellMembers struct {
	storage.Members
	err error
}

func (u unwell) List(ctx context.Context, name string) (storage.Listing, error) {
	listing, err := storage.List(ctx, u.FS, name)
	return unwellListing{listing, u.err}, err
}

func (u unwellListing) Next(ctx context.Context) (storage.Members, error) {
	members, err := u.Listing.Next(ctx)
	if members == nil {
		return nil, err
	}
	return unwellMembers{members, u.err}, err
}

func (u unwellMembers) Describe(ctx context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	dst = u.Members.Describe(ctx, from, to, dst)
	for i := range dst {
		if dst[i].Name == "mount" {
			dst[i] = storage.Entry{Name: "mount", Err: u.err}
		}
	}
	return dst
}

// TestIndexOfWhatIsBroken: a member that can't be described, such as a dead mount, is
// listed by its name alone and hides no other member. A member that no longer exists is
// not listed.
func TestIndexOfWhatIsBroken(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{syscall.ENOTCONN, "../ in/ a mount z"},
		{fs.ErrPermission, "../ in/ a mount z"},
		{fs.ErrNotExist, "../ in/ a z"},
	} {
		s := serveMem(t, &dav.Handler{}, layout{"/c/a": "1", "/c/mount/x": "", "/c/z": "2", "/c/in/": ""})
		s.h.FileSystem = unwell{s.fsys, &fs.PathError{Op: "lstat", Path: "/secret/mount", Err: c.err}}
		a := s.wants(200, "GET", "/c/")
		var texts []string
		for _, l := range s.index(a) {
			texts = append(texts, l.text)
		}
		if got := strings.Join(texts, " "); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
		const row = `<tr><td><a href="./mount"><bdi>mount</bdi></a></td><td></td><td></td></tr>`
		if strings.Contains(c.want, "mount") && !strings.Contains(a.body, row) {
			t.Errorf("%v: no %s in %s", c.err, row, a.body)
		}
	}
}

// TestIndexCompressedHead: HEAD has the coding and the entity tag of GET, even for the
// shortest page (RFC 9110 §9.3.2).
func TestIndexCompressedHead(t *testing.T) {
	s := serveMem(t, &dav.Handler{Compress: dav.CompressAlways}, layout{})
	for _, accept := range []string{"gzip", "zstd", "identity", "br"} {
		get, head := s.wants(200, "GET", "/", "Accept-Encoding: "+accept), s.wants(200, "HEAD", "/", "Accept-Encoding: "+accept)
		for _, header := range []string{"ETag", "Content-Encoding", "Vary", "Content-Type"} {
			if g, h := get.header.Get(header), head.header.Get(header); g != h {
				t.Errorf("%s: %s of HEAD is %q, of GET %q", accept, header, h, g)
			}
		}
		if compressed := get.header.Get("Content-Encoding") != ""; compressed != (accept == "gzip" || accept == "zstd") {
			t.Errorf("%s: compressed: %t", accept, compressed)
		}
	}
}

// TestIndexesAtOnce: the members in memory, for clients that read their pages slowly,
// are limited in total and for each principal or address. Small collections don't
// count.
func TestIndexesAtOnce(t *testing.T) {
	const large = 100_000
	for _, c := range []struct {
		name, principal, address string
		stalled, status          int
		elsewhere                int // for another address
	}{
		{"as many as a principal may have", "ann", "192.0.2.1:1", 1, 200, 200},
		{"one too many of a principal", "ann", "192.0.2.1:1", 2, 503, 503},
		{"one too many of an address", "", "192.0.2.1:1", 2, 503, 200},
		{"several clients behind a proxy", "", "127.0.0.1:1", 3, 200, 200},
		{"one too many behind a proxy", "", "127.0.0.1:1", 4, 503, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := &crowds{FS: webdav.NewMemFS(), members: large}
			write(t, fsys, "/f", "x")
			if err := fsys.Mkdir(t.Context(), "/small", 0o755); err != nil {
				t.Fatal(err)
			}
			h := &dav.Handler{FileSystem: fsys, Principal: func(*http.Request) string { return c.principal }, StallTimeout: -1}
			release := make(chan struct{})
			written := make(chan struct{}, c.stalled)
			var stalled sync.WaitGroup
			from := func(address, target string) *http.Request {
				r := httptest.NewRequest(http.MethodGet, target, http.NoBody)
				r.RemoteAddr = address
				return r
			}
			for range c.stalled {
				stalled.Go(func() {
					h.ServeHTTP(&stalledWriter{ResponseRecorder: httptest.NewRecorder(), written: written, release: release}, from(c.address, "/"))
				})
				<-written
			}
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, from("203.0.113.1:1", "/")); w.Code != c.elsewhere {
				t.Errorf("from another address it is %d, want %d", w.Code, c.elsewhere)
			}
			for target, want := range map[string]int{"/": c.status, "/small": 200} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, from(c.address, target))
				if w.Code != want || (w.Header().Get("Retry-After") != "") != (want == 503) {
					t.Errorf("%s is %d, want %d: %v %.200s", target, w.Code, want, w.Header(), w.Body)
				}
			}
			close(release)
			stalled.Wait()
			w = httptest.NewRecorder()
			h.ServeHTTP(w, from(c.address, "/"))
			if w.Code != 200 {
				t.Errorf("afterwards: %d", w.Code)
			}
		})
	}
}

// stalledWriter accepts the first write, and then blocks.
type stalledWriter struct {
	*httptest.ResponseRecorder
	written, release chan struct{}
	once             sync.Once
}

func (s *stalledWriter) Write(p []byte) (int, error) {
	s.once.Do(func() { s.written <- struct{}{} })
	<-s.release
	return len(p), nil
}

// crowds is a root with many members, and an empty collection "/small".
type crowds struct {
	storage.FS
	members int
}

func (c *crowds) List(ctx context.Context, name string) (storage.Listing, error) {
	return storagetest.Stream(c.readDir(ctx, name)), nil
}

func (c *crowds) readDir(ctx context.Context, name string) iter.Seq2[fs.FileInfo, error] {
	one := crowd{FS: c.FS, members: c.members}
	if name != "/" {
		one.members = 10
	}
	return one.readDir(ctx, name)
}

// TestStalledIndex: if a client reads nothing of an index, the server closes the
// connection and releases the members.
func TestStalledIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := &crowd{FS: webdav.NewMemFS(), members: 3000}
		write(t, fsys, "/f", "x")
		given := make(chan error, 1)
		s := serveBubble(t, &dav.Handler{FileSystem: fsys, StallTimeout: time.Second, Logger: func(_ *http.Request, err error) { given <- err }})
		s.dial().ask("GET /")
		if err := <-given; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// crowd is storage with a collection of many members that takes no memory.
type crowd struct {
	storage.FS
	members int
	read    int
}

type crowdInfo struct {
	fs.FileInfo
	name string
}

func (i crowdInfo) Name() string { return i.name }

func (c *crowd) List(ctx context.Context, name string) (storage.Listing, error) {
	return storagetest.Stream(c.readDir(ctx, name)), nil
}

func (c *crowd) readDir(ctx context.Context, _ string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		file, err := c.Stat(ctx, "/f")
		for c.read = 0; c.read < c.members; c.read++ {
			if !yield(crowdInfo{file, fmt.Sprintf("member %d", c.read)}, err) {
				return
			}
		}
	}
}

// TestIndexBound: for an almost endless collection, the page shows a part and says so,
// and only that part is in memory.
func TestIndexBound(t *testing.T) {
	const limit = 100_000
	for _, members := range []int{limit - 1, limit + 1, 100 * limit} {
		fsys := &crowd{FS: webdav.NewMemFS(), members: members}
		write(t, fsys, "/f", "x")
		server := httptest.NewServer(&dav.Handler{FileSystem: fsys})
		a, err := send(t, server, "GET", "/", "")
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		all := members < limit
		if shown := strings.Count(a.body, "<bdi>member "); shown != min(members, limit) || fsys.read > limit+256 {
			t.Errorf("%d members: %d are shown, %d were read", members, shown, fsys.read)
		}
		if strings.Contains(a.body, "more than these 100000 members") == all {
			t.Errorf("%d members: it ends with %s", members, a.body[len(a.body)-200:])
		}
	}
}

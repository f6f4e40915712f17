package dav_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/operation"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

// layout describes a tree. It maps the name of a file to its content, and the name of a
// collection, which ends in a slash, to "". Collections with members need not be
// listed.
type layout map[string]string

// full returns l with the collections that its names imply.
func (l layout) full() layout {
	full := maps.Clone(l)
	for name := range l {
		for i := 1; i < len(name); i++ {
			if name[i] == '/' {
				full[name[:i+1]] = ""
			}
		}
	}
	return full
}

// backend is a kind of storage.
type backend struct {
	name string
	open func(t testing.TB) (fsys storage.FS, dir string)
}

// backends are the storages of general tests.
var backends = []backend{
	{"mem", func(testing.TB) (storage.FS, string) { return webdav.NewMemFS(), "" }},
	{"local", openLocal},
}

// openLocal returns an empty local share and its directory.
func openLocal(tb testing.TB) (fsys storage.FS, dir string) {
	tb.Helper()
	dir = tb.TempDir()
	opened, err := local.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = opened.Close() })
	return opened, dir
}

// share is a Handler behind a real server, with its storage.
type share struct {
	testing.TB
	fsys   storage.FS // without faults
	dir    string     // of a local share; no answer may contain it
	h      *dav.Handler
	server *httptest.Server
	// before, if not nil, is called before each call of the storage.
	before func(op, name string) error
}

// inOneCall maps an optional call of a backend to the calls that it replaces.
var inOneCall = map[string][]string{"copymembers": {"open", "write", "close"}, "exchange": {"rename"}}

// serve serves l from fsys with the handler h, which needs no FileSystem.
func serve(tb testing.TB, fsys storage.FS, h *dav.Handler, l layout) *share {
	tb.Helper()
	s := &share{TB: tb, fsys: fsys, h: h}
	s.plantLayout(l)
	h.FileSystem = &storagetest.Fault{FS: fsys, Before: func(op, name string) error {
		if s.before == nil {
			return nil
		}
		// A batch of copies opens and writes; an exchange renames.
		for _, call := range append([]string{op}, inOneCall[op]...) {
			if err := s.before(call, name); err != nil {
				return err
			}
		}
		return nil
	}}
	s.server = httptest.NewServer(h)
	tb.Cleanup(s.server.Close)
	return s
}

// plantLayout creates l in the storage.
func (s *share) plantLayout(l layout) {
	s.Helper()
	for name, content := range l.full() {
		if strings.HasSuffix(name, "/") {
			s.mkdir(path.Clean(name))
		} else {
			s.mkdir(path.Dir(name))
			write(s.TB, s.fsys, name, content)
		}
	}
}

// serveMem serves l from memory.
func serveMem(tb testing.TB, h *dav.Handler, l layout) *share {
	tb.Helper()
	return serve(tb, webdav.NewMemFS(), h, l)
}

// serveLocal serves l from a directory.
func serveLocal(tb testing.TB, h *dav.Handler, l layout) *share {
	tb.Helper()
	fsys, dir := openLocal(tb)
	s := serve(tb, fsys, h, l)
	s.dir = dir
	return s
}

// onBackends runs test with l on each backend.
func onBackends(t *testing.T, l layout, test func(s *share)) {
	t.Helper()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			fsys, dir := b.open(t)
			s := serve(t, fsys, &dav.Handler{}, l)
			s.dir = dir
			test(s)
		})
	}
}

// mkdir creates the collection name and its parents.
func (s *share) mkdir(name string) {
	s.Helper()
	if name == "/" {
		return
	}
	s.mkdir(path.Dir(name))
	err := s.fsys.Mkdir(s.Context(), name, 0o755)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		s.Fatal(err)
	}
}

// fail makes each call of op fail with err for the names.
func (s *share) fail(err error, op string, names ...string) {
	s.before = func(o, name string) error {
		if o == op && slices.Contains(names, name) {
			return &fs.PathError{Op: op, Path: "/secret/path/on/disk" + name, Err: err}
		}
		return nil
	}
}

// tree returns everything in the storage, including reserved names, so that leftovers
// show up.
func (s *share) tree() layout {
	s.Helper()
	l := layout{}
	s.below("/", l)
	return l
}

func (s *share) below(name string, l layout) {
	s.Helper()
	for info, err := range storage.ReadDir(s.Context(), s.fsys, name) {
		if err != nil {
			s.Fatal(err)
		}
		member := path.Join(name, info.Name())
		switch {
		case info.IsDir():
			l[member+"/"] = ""
			s.below(member, l)
		case info.Mode().IsRegular():
			l[member] = s.content(member)
		default:
			l[member] = info.Mode().Type().String()
		}
	}
}

func (s *share) content(name string) string {
	s.Helper()
	f, err := s.fsys.OpenFile(s.Context(), name, os.O_RDONLY, 0)
	if err != nil {
		s.Fatal(err)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		s.Fatal(err)
	}
	return string(content)
}

// holds checks that the storage contains want and nothing more.
func (s *share) holds(want layout) {
	s.Helper()
	got, want := s.tree(), want.full()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if content, ok := got[name]; !ok {
			s.Errorf("%s is missing", name)
		} else if content != want[name] {
			s.Errorf("%s is %.40q, want %.40q", name, content, want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			s.Errorf("%s is there", name)
		}
	}
}

// answer is a final response.
type answer struct {
	status int
	header http.Header
	body   string
	chunks bool // the body was sent in chunks
}

// do sends a request for target, an escaped path. Each of fields has the form "Name:
// value".
func (s *share) do(method, target string, fields ...string) answer {
	s.Helper()
	return s.send(method, target, "", fields...)
}

// send sends a request with a body. It checks that the answer contains no internals of
// the server.
func (s *share) send(method, target, body string, fields ...string) answer {
	s.Helper()
	a, err := send(s.TB, s.server, method, target, body, fields...)
	if err != nil {
		s.Fatal(err)
	}
	shown := strings.ReplaceAll(a.body, "/"+operation.Name+"/", "")
	for _, secret := range []string{"/secret/path", ".davd-", s.dir} {
		if secret != "" && strings.Contains(shown, secret) {
			s.Errorf("%s %s shows %s: %s", method, target, secret, a.body)
		}
	}
	return a
}

func send(tb testing.TB, server *httptest.Server, method, target, body string, fields ...string) (answer, error) {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), method, server.URL+target, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for _, field := range fields {
		name, value, found := strings.Cut(field, ": ")
		if !found {
			tb.Fatalf("%q is no header field", field)
		}
		request.Header.Add(name, strings.ReplaceAll(value, "{server}", server.URL))
	}
	response, err := server.Client().Transport.RoundTrip(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{
		status: response.StatusCode, header: response.Header, body: string(content),
		chunks: slices.Equal(response.TransferEncoding, []string{"chunked"}),
	}, err
}

// wants sends a request and checks its status.
func (s *share) wants(status int, method, target string, fields ...string) answer {
	s.Helper()
	a := s.do(method, target, fields...)
	if a.status != status {
		s.Errorf("%s %s %q is %d, want %d: %s", method, target, fields, a.status, status, a.body)
	}
	return a
}

// sends is wants for a request with a body.
func (s *share) sends(status int, method, target, body string, fields ...string) answer {
	s.Helper()
	a := s.send(method, target, body, fields...)
	if a.status != status {
		s.Errorf("%s %s %q is %d, want %d: %s", method, target, fields, a.status, status, a.body)
	}
	return a
}

// multistatus is a multistatus element (RFC 4918 §14.16), indexed by href.
type multistatus struct {
	responses   map[string]msResponse
	hrefs       []string // in document order
	description string
}

// msResponse is a response element: its own status, or 0 without one, and the status
// and text of each property.
type msResponse struct {
	status int
	props  map[xml.Name]msProp
}

type msProp struct {
	status int
	text   string
	inner  string
	lang   string
}

// dav returns a property of the namespace DAV:.
func (r msResponse) dav(local string) msProp { return r.props[xml.Name{Space: "DAV:", Local: local}] }

// multistatus checks that a is a 207 and parses it.
func (s *share) multistatus(a answer) multistatus {
	s.Helper()
	if a.status != http.StatusMultiStatus {
		s.Fatalf("status %d, want 207: %s", a.status, a.body)
	}
	if ct := a.header.Get("Content-Type"); ct != "text/xml; charset=utf-8" {
		s.Errorf("Content-Type %q", ct)
	}
	var parsed struct {
		XMLName   xml.Name `xml:"DAV: multistatus"`
		Responses []struct {
			Href      string `xml:"DAV: href"`
			Status    string `xml:"DAV: status"`
			Propstats []struct {
				Status string `xml:"DAV: status"`
				Prop   struct {
					Props []struct {
						XMLName xml.Name
						Lang    string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
						Text    string `xml:",chardata"`
						Inner   string `xml:",innerxml"`
					} `xml:",any"`
				} `xml:"DAV: prop"`
			} `xml:"DAV: propstat"`
		} `xml:"DAV: response"`
		Description string `xml:"DAV: responsedescription"`
	}
	if err := xml.Unmarshal([]byte(a.body), &parsed); err != nil {
		s.Fatalf("%v in %s", err, a.body)
	}
	m := multistatus{responses: make(map[string]msResponse), description: parsed.Description}
	for _, r := range parsed.Responses {
		response := msResponse{status: s.statusLine(r.Status), props: make(map[xml.Name]msProp)}
		for _, p := range r.Propstats {
			for _, prop := range p.Prop.Props {
				if _, twice := response.props[prop.XMLName]; twice {
					s.Errorf("%s has %v twice", r.Href, prop.XMLName)
				}
				response.props[prop.XMLName] = msProp{status: s.statusLine(p.Status), text: prop.Text, inner: prop.Inner, lang: prop.Lang}
			}
		}
		// RFC 4918 §14.24: a multi-status MUST NOT contain an href twice.
		if _, twice := m.responses[r.Href]; twice {
			s.Errorf("%s is there twice", r.Href)
		}
		m.responses[r.Href] = response
		m.hrefs = append(m.hrefs, r.Href)
	}
	return m
}

func (s *share) statusLine(line string) int {
	s.Helper()
	if line == "" {
		return 0
	}
	var status int
	if _, err := fmt.Sscanf(line, "HTTP/1.1 %d ", &status); err != nil {
		s.Fatalf("%q is no status line", line)
	}
	return status
}

// failures checks that a is a 207 with exactly the statuses in want, by href.
func (s *share) failures(a answer, want map[string]int) {
	s.Helper()
	m := s.multistatus(a)
	got := make(map[string]int)
	for href, r := range m.responses {
		got[href] = r.status
	}
	if !maps.Equal(got, want) {
		s.Errorf("failures %v, want %v", got, want)
	}
}

const lockBody = `<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>` +
	`<D:locktype><D:write/></D:locktype><D:owner>me</D:owner></D:lockinfo>`

// lock locks target and returns the token.
func (s *share) lock(target string, fields ...string) string {
	s.Helper()
	a := s.send("LOCK", target, lockBody, fields...)
	token := strings.Trim(a.header.Get("Lock-Token"), "<>")
	if a.status/100 != 2 || token == "" {
		s.Fatalf("LOCK %s is %d: %s", target, a.status, a.body)
	}
	return token
}

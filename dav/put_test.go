package dav_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/deadprops"
)

// putCase is a PUT onto garden's tree.
type putCase struct {
	name, target string
	fields       []string
	status       int
	placed       string // the storage name; "": nothing has changed
}

var puts = []putCase{
	{"RFC 9110 §9.3.4 new", "/new", nil, 201, "/new"},
	{"RFC 9110 §9.3.4 again", "/f", nil, 204, "/f"},
	{"in a collection", "/c/s/new", nil, 201, "/c/s/new"},
	{"hostile name", "/%25%23%3f%26%0a%22%c3%a4%20", nil, 201, "/%#?&\n\"ä "},
	{"§9.7.1 no parent", "/none/new", nil, 409, ""},
	{"§9.7.1 no parent's parent", "/none/none/new", nil, 409, ""},
	{"§9.7.1 the parent is a file", "/f/new", nil, 409, ""},
	{"§9.7.1 its parent is a file", "/f/none/new", nil, 409, ""},
	{"§9.7.2 collection", "/c/", nil, 405, ""},
	{"§9.7.2 collection without its slash", "/c", nil, 405, ""},
	{"§9.7.2 the root", "/", nil, 405, ""},
	{"reserved name", "/.davd-x", nil, 403, ""},
	{"RFC 9110 §14.4 Content-Range", "/f", []string{"Content-Range: bytes 0-2/3"}, 400, ""},
	{"RFC 9110 §14.4 Content-Range that can't be read", "/new", []string{"Content-Range: x"}, 400, ""},
	{"RFC 9110 §8.4 Content-Encoding", "/f", []string{"Content-Encoding: gzip"}, 415, ""},
	{"RFC 9110 §8.4 Content-Encoding, a list", "/f", []string{"Content-Encoding: identity, br"}, 415, ""},
	{"RFC 9110 §8.4 identity", "/f", []string{"Content-Encoding: Identity"}, 204, "/f"},
	{"Content-Type is the name's", "/f", []string{"Content-Type: image/png"}, 204, "/f"},
	{"§10.4 If that is malformed", "/f", []string{"If: x"}, 400, ""},
	{"§10.4 If that does not hold", "/f", []string{"If: (<urn:x>)"}, 412, ""},
	{"§10.4 If that holds", "/f", []string{"If: (Not <urn:x>)"}, 204, "/f"},
	{"X-Expected-Entity-Length", "/f", []string{"X-Expected-Entity-Length: 3"}, 204, "/f"},
	{"X-Expected-Entity-Length is more", "/f", []string{"X-Expected-Entity-Length: 4"}, 400, ""},
	{"X-Expected-Entity-Length is less", "/f", []string{"X-Expected-Entity-Length: 2"}, 400, ""},
	{"X-Expected-Entity-Length is no length", "/f", []string{"X-Expected-Entity-Length: -3"}, 400, ""},
}

func TestPut(t *testing.T) {
	for _, c := range puts {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				a := s.sends(c.status, "PUT", c.target, "put", c.fields...)
				if c.placed == "" {
					s.holds(garden())
					return
				}
				s.holds(garden().with(layout{c.placed: "put"}))
				get := s.wants(200, "GET", c.target)
				for _, header := range []string{"ETag", "Last-Modified"} {
					if got, want := a.header.Get(header), get.header.Get(header); got != want || got == "" {
						s.Errorf("%s %q, GET says %q", header, got, want)
					}
				}
			})
		})
	}
}

// TestPutCodingRefused checks that the answer names the accepted coding (RFC 9110
// §15.5.16).
func TestPutCodingRefused(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	if a := s.sends(415, "PUT", "/f", "x", "Content-Encoding: gzip"); a.header.Get("Accept-Encoding") != "identity" {
		t.Errorf("Accept-Encoding %q", a.header.Get("Accept-Encoding"))
	}
}

func TestPutReadOnly(t *testing.T) {
	s := serveMem(t, &dav.Handler{ReadOnly: true}, garden())
	s.sends(403, "PUT", "/f", "x")
	s.sends(403, "PUT", "/new", "x")
	s.holds(garden())
}

// TestPutRoot checks that the 405 has the header Allow (RFC 9110 §15.5.6).
func TestPutRoot(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	if allow := s.sends(405, "PUT", "/", "x").header.Get("Allow"); !strings.Contains(allow, "PROPFIND") || strings.Contains(allow, "PUT") {
		t.Errorf("Allow %q", allow)
	}
	for _, target := range []string{"*", "http://davd.test"} {
		want := map[string]int{"*": 400, "http://davd.test": 405}[target]
		connection := s.dial()
		connection.write("PUT " + target + " HTTP/1.1\nContent-Length: 1\n\nx")
		if got := connection.status(); got != want {
			t.Errorf("RFC 9112 §3.2: PUT %s is %d, want %d", target, got, want)
		}
	}
	s.holds(garden())
}

// TestPutLocked tests a PUT on locked resources (§7.4, §7.5).
func TestPutLocked(t *testing.T) {
	onBackends(t, garden(), func(s *share) {
		file := s.lock("/f")
		collection := s.lock("/c/", "Depth: 0")
		s.sends(423, "PUT", "/f", "x")
		s.sends(423, "PUT", "/c/new", "x")
		s.sends(204, "PUT", "/c/m", "x") // it is a member already
		s.sends(423, "PUT", "/f", "x", "If: (<"+collection+">) (Not <urn:x>)")
		s.sends(204, "PUT", "/f", "y", "If: (<"+file+">)")
		s.sends(201, "PUT", "/c/new", "y", "If: </c/> (<"+collection+">)")
		s.holds(garden().with(layout{"/f": "y", "/c/m": "x", "/c/new": "y"}))
	})
}

// TestPutFailures checks that a failure of any storage call leaves no trace.
func TestPutFailures(t *testing.T) {
	for _, b := range backends {
		for _, target := range []string{"/f", "/new"} {
			t.Run(b.name+target, func(t *testing.T) {
				for n, failed := 0, true; failed; n++ {
					fsys, _ := b.open(t)
					s := serve(t, fsys, &dav.Handler{}, garden())
					calls, op := 0, ""
					s.before = func(o, _ string) error {
						if calls++; calls-1 == n {
							op = o
							return &fs.PathError{Op: o, Path: "/secret/path", Err: syscall.ENOSPC}
						}
						return nil
					}
					a := s.send("PUT", target, "put")
					s.before = nil
					failed = op != ""
					switch {
					case a.status/100 == 2:
						s.holds(garden().with(layout{target: "put"}))
					case a.status == http.StatusInsufficientStorage && failed:
						s.holds(garden())
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

// TestPutRefusedByStorage tests changes between a check and the call that it is for.
func TestPutRefusedByStorage(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	for _, op := range []string{"replacefile", "commit"} {
		for _, c := range []struct {
			err    error
			status int
		}{
			{fs.ErrPermission, 403},
			{fs.ErrNotExist, 409}, // the collection has gone
			{syscall.EISDIR, 405},
			{errors.New("the disk is broken"), 500},
		} {
			s.fail(c.err, op, "/f")
			s.sends(c.status, "PUT", "/f", "x")
			s.holds(garden())
		}
	}
}

// TestPutNothingOverwritten checks that If-None-Match: * also protects a file that
// another program creates at that moment (RFC 9110 §13.1.2).
func TestPutNothingOverwritten(t *testing.T) {
	s := serveLocal(t, &dav.Handler{}, garden())
	s.before = func(op, name string) error {
		if op == "commit" && name == "/new" {
			write(t, s.fsys, "/new", "somebody else's")
		}
		return nil
	}
	s.sends(412, "PUT", "/new", "x", "If-None-Match: *")
	s.holds(garden().with(layout{"/new": "somebody else's"}))
	s.before = nil
	if err := s.fsys.RemoveAll(t.Context(), "/new"); err != nil {
		t.Fatal(err)
	}
	s.sends(201, "PUT", "/new", "x", "If-None-Match: *")
}

// TestPutKeeps checks that a replaced file keeps its dead properties and permission
// bits, and that a new file has no properties of an earlier one.
func TestPutKeeps(t *testing.T) {
	const ask = `<propfind xmlns="DAV:"><prop><colour xmlns="urn:x"/></prop></propfind>`
	colour := func(s *share) int {
		for _, prop := range s.multistatus(s.send("PROPFIND", "/f", ask, "Depth: 0")).responses["/f"].props {
			return prop.status
		}
		return 0
	}
	onBackends(t, garden(), func(s *share) {
		s.sends(207, "PROPPATCH", "/f", setProp)
		s.sends(204, "PUT", "/f", "x")
		if got := colour(s); got != 200 {
			s.Errorf("§9.7 the property is %d after a PUT", got)
		}
		// Behind the server's back.
		if err := s.fsys.RemoveAll(s.Context(), "/f"); err != nil {
			s.Fatal(err)
		}
		s.sends(201, "PUT", "/f", "x")
		if got := colour(s); got != 404 {
			s.Errorf("the property of an earlier resource is %d", got)
		}
	})
	s := serveLocal(t, &dav.Handler{}, garden())
	name := filepath.Join(s.dir, "f")
	if err := os.Chmod(name, 0o640); err != nil {
		t.Fatal(err)
	}
	s.sends(204, "PUT", "/f", "x")
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestPutProps checks that no resource is created while old properties can't be
// removed, so that it never gets those of another.
func TestPutProps(t *testing.T) {
	for _, method := range []string{"PUT", "MKCOL"} {
		s := serveMem(t, &dav.Handler{State: stateOf(t, parts{properties: frozenProps{deadprops.NewMem()}})}, garden())
		s.sends(500, method, "/new", "")
		s.holds(garden())
	}
}

type frozenProps struct{ deadprops.Store }

func (frozenProps) Remove(context.Context, string) error { return errors.New("the database is broken") }

// roomy is storage that reports its free space.
type roomy struct {
	storage.FS
	available int64
}

func (r roomy) Space(context.Context, string) (used, available int64, err error) {
	return 0, r.available, nil
}

// TestPutNoRoom checks that a body that does not fit is refused before it is sent.
func TestPutNoRoom(t *testing.T) {
	fsys, _ := openLocal(t)
	s := serve(t, roomy{fsys, 1 << 20}, &dav.Handler{}, garden())
	for _, c := range []struct {
		name, fields string
		status       int
	}{
		{"Content-Length", "Content-Length: 1048577\n", 507},
		{"X-Expected-Entity-Length", "Transfer-Encoding: chunked\nX-Expected-Entity-Length: 1048577\n", 507},
		{"it fits", "Content-Length: 1048576\n", 100},
		{"unknown length", "Transfer-Encoding: chunked\n", 100},
	} {
		connection := s.dial()
		connection.write("PUT /new HTTP/1.1\nExpect: 100-continue\n" + c.fields + "\n")
		if got := connection.status(); got != c.status {
			t.Errorf("%s: %d, want %d", c.name, got, c.status)
		}
		connection.conn.Close()
	}
}

// TestPutNoRoomSays checks that a 507 has the precondition (RFC 4331 §6) and the
// reason.
func TestPutNoRoomSays(t *testing.T) {
	for _, c := range []struct {
		err               error
		condition, reason string
	}{
		{syscall.ENOSPC, "sufficient-disk-space", "the storage is full"},
		{syscall.EDQUOT, "quota-not-exceeded", "the quota is used up"},
	} {
		onBackends(t, garden(), func(s *share) {
			s.before = func(op, _ string) error {
				if op == "replacefile" || op == "write" {
					return &fs.PathError{Op: op, Path: "/secret/path/on/disk", Err: c.err}
				}
				return nil
			}
			a := s.sends(507, "PUT", "/new", "put")
			s.spaceCondition(a, c.condition, c.reason)
		})
	}
	fsys, _ := openLocal(t)
	s := serve(t, roomy{fsys, 1 << 20}, &dav.Handler{}, garden())
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/new", strings.NewReader(strings.Repeat("x", 2<<20))))
	s.spaceCondition(answer{status: w.Code, header: w.Header(), body: w.Body.String()}, "sufficient-disk-space", "the request body has 2097152 bytes, but there is room for only 1048576")
}

// spaceCondition checks the body of a 507.
func (s *share) spaceCondition(a answer, condition, reason string) {
	s.Helper()
	var got struct {
		XMLName   xml.Name
		Condition struct{ XMLName xml.Name } `xml:",any"`
		Reason    string                     `xml:"DAV: responsedescription"`
	}
	if err := xml.Unmarshal([]byte(a.body), &got); err != nil || a.header.Get("Content-Type") != "text/xml; charset=utf-8" {
		s.Fatalf("%v in %v %s", err, a.header, a.body)
	}
	want := xml.Name{Space: "DAV:", Local: condition}
	if got.XMLName.Local != "error" || got.Condition.XMLName != want || got.Reason != reason {
		s.Errorf("%+v, want %s, %q", got, condition, reason)
	}
}

// TestPutMtime tests X-OC-Mtime on storage that can set times.
func TestPutMtime(t *testing.T) {
	const header, when = "X-OC-Mtime: 1234567890.5", 1234567890
	settable, _ := openLocal(t)
	for _, c := range []struct {
		name     string
		fsys     storage.FS
		accepted bool
	}{
		{"local", settable, true},
		{"afero", aferofs.New(afero.NewMemMapFs()), true},
		{"mem, which can't", backendMem(t), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.fsys, &dav.Handler{}, garden())
			tags := make(map[string]bool)
			for _, content := range []string{"one", "two", "ten"} {
				a := s.send("PUT", "/new", content, header)
				if got := a.header.Get("X-OC-Mtime"); (got == "accepted") != c.accepted || (got != "") != c.accepted {
					t.Errorf("X-OC-Mtime %q", got)
				}
				info, err := s.fsys.Stat(t.Context(), "/new")
				if err != nil || (info.ModTime().Unix() == when) != c.accepted {
					t.Errorf("%v, %v", info.ModTime(), err)
				}
				if want := time.Unix(when, 0).UTC().Format(http.TimeFormat); c.accepted && a.header.Get("Last-Modified") != want {
					t.Errorf("Last-Modified %q", a.header.Get("Last-Modified"))
				}
				tags[a.header.Get("ETag")] = true
			}
			// RFC 9110 §8.8.1: different content must have a different tag.
			if len(tags) != 3 {
				t.Errorf("three contents of one size and time have the tags %v", tags)
			}
			if a := s.send("PUT", "/new", "x", "X-OC-Mtime: yesterday"); a.status != 204 || a.header.Get("X-OC-Mtime") != "" {
				t.Errorf("a time that can't be read: %d, %q", a.status, a.header.Get("X-OC-Mtime"))
			}
			if info, err := s.fsys.Stat(t.Context(), "/new"); err != nil || time.Since(info.ModTime()) > time.Hour {
				t.Errorf("%v, %v", info.ModTime(), err)
			}
		})
	}
}

func backendMem(tb testing.TB) storage.FS {
	tb.Helper()
	fsys, _ := backends[0].open(tb)
	return fsys
}

// replacer is storage that records how a file should be replaced.
type replacer struct {
	storage.FileReplacer
	sync *storage.Sync
	size *int64
}

func (r replacer) ReplaceFile(ctx context.Context, name string, begin storage.Replacing) (storage.Replacement, error) {
	*r.size = begin.Size
	begun, err := r.FileReplacer.ReplaceFile(ctx, name, begin)
	return replacement{begun, r.sync}, err
}

type replacement struct {
	storage.Replacement
	sync *storage.Sync
}

func (r replacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	*r.sync = p.Sync
	return r.Replacement.Commit(ctx, p)
}

// TestPutTellsTheStorage checks that the storage gets Sync and the length of the body.
func TestPutTellsTheStorage(t *testing.T) {
	fsys, _ := openLocal(t)
	local, ok := fsys.(storage.FileReplacer)
	if !ok {
		t.Fatalf("a %T replaces no files", fsys)
	}
	for _, want := range []storage.Sync{"", storage.SyncClose, storage.SyncAlways} {
		var sync storage.Sync
		var size int64
		s := serve(t, replacer{local, &sync, &size}, &dav.Handler{Sync: want}, ten())
		for _, length := range []int{0, 1000, 70_000} {
			s.send("PUT", "/f", string(make([]byte, length)))
			if sync != want || size != int64(length) && size != 0 || length == 70_000 && size == 0 {
				t.Errorf("%d bytes: Sync %q, want %q; Size %d", length, sync, want, size)
			}
			sync = "nothing"
			s.sends(204, "PATCH", "/f", "x", "X-Update-Range: append", patchType)
			if sync != want {
				t.Errorf("PATCH: Sync %q, want %q", sync, want)
			}
		}
	}
}

// TestPutChunk checks that a chunk from an ownCloud client does not replace the file
// (RFC 9110 §15.6.2).
func TestPutChunk(t *testing.T) {
	s := serveMem(t, &dav.Handler{}, garden())
	for _, target := range []string{"/f", "/f-chunking-1-2-0"} {
		for _, value := range []string{"1", "0", ""} {
			a := s.sends(501, "PUT", target, "part", "OC-Chunked: "+value)
			if !strings.Contains(a.body, "OC-Chunked") {
				t.Errorf("%s", a.body)
			}
		}
	}
	s.sends(501, "PUT", "/f", strings.Repeat("x", 100_000), "OC-Chunked: 1")
	s.holds(garden())
}

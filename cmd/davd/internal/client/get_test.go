package client

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/dav/davclient"
)

// sessionWith returns a Session with server that writes failed members to err, and the URL of
// its collection.
func sessionWith(t *testing.T, server *httptest.Server, err io.Writer) (*Session, *url.URL) {
	t.Helper()
	t.Cleanup(server.Close)
	client, failed := davclient.New(server.URL + "/d/")
	if failed != nil {
		t.Fatal(failed)
	}
	return &Session{Client: client, Out: io.Discard, Err: err, Options: Options{Recursive: true}}, client.Base
}

// listing returns a server whose collection /d/ has members with these hrefs. content answers
// GET requests for files.
func listing(content http.HandlerFunc, hrefs ...string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			content(w, r)
			return
		}
		w.WriteHeader(http.StatusMultiStatus)
		fmt.Fprint(w, `<multistatus xmlns="DAV:"><response><href>`+r.URL.EscapedPath()+`</href><propstat><prop><resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>`)
		for _, href := range hrefs {
			fmt.Fprint(w, `<response><href>`+href+`</href><propstat><prop/><status>HTTP/1.1 200 OK</status></propstat></response>`)
		}
		fmt.Fprint(w, `</multistatus>`)
	}))
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// below returns the names of everything below dir.
func below(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, _ fs.DirEntry, err error) error {
		if name != "." {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestGetHostile checks that nothing is written outside of the directory, whatever the server
// lists.
func TestGetHostile(t *testing.T) {
	for _, c := range []struct {
		name, href string
		want       string // what is in the directory beside it
		err, line  string
	}{
		{"a file", "/d/a%20b", "got/a b", "", ""},
		{"above", "/d/../a", "", "outside the collection", ""},
		{"above, escaped", "/d/%2e%2e", "", "outside the collection", ""},
		{"above, below", "/d/a/..%2F..%2Fb", "", "", ""},
		{"an absolute path", "/etc/passwd", "", "outside the collection", ""},
		{"a slash in a name", "/d/..%2Fa", "", "1 member failed", "/d/../a: its name can't be used on this machine\n"},
		{"a NUL", "/d/a%00", "", "1 member failed", "/d/a%00: its name can't be used on this machine\n"},
		{"an escape sequence", "/d/a%1b%5b2J", "got/a\x1b[2J", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			var lines strings.Builder
			s, ref := sessionWith(t, listing(hello, c.href), &lines)
			err := s.Get(t.Context(), ref, filepath.Join(dir, "got"))
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v", err)
			}
			if lines.String() != c.line {
				t.Errorf("%q, want %q", lines.String(), c.line)
			}
			want := strings.TrimSuffix("got "+c.want, " ")
			if got := strings.Join(below(t, dir), " "); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// TestGetCutShort checks that an incomplete download leaves nothing behind, and that a file
// that it should have replaced still exists.
func TestGetCutShort(t *testing.T) {
	cutShort := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "whole") {
			hello(w, r)
			return
		}
		w.Header().Set("Content-Length", "100")
		hello(w, r)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "got"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "got", "cut"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, ref := sessionWith(t, listing(cutShort, "/d/cut", "/d/whole"), io.Discard)
	s.Force = true
	err := s.Get(t.Context(), ref, filepath.Join(dir, "got"))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	old, err := os.ReadFile(filepath.Join(dir, "got", "cut"))
	if err != nil || string(old) != "old" {
		t.Errorf("%q %v", old, err)
	}
	if left := strings.Join(below(t, dir), " "); left != "got got/cut" {
		t.Errorf("there is %q", left)
	}
}

// TestGetDeep has a server that lists endless levels of collections.
func TestGetDeep(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const collection = `</href><propstat><prop><resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>`
		w.WriteHeader(http.StatusMultiStatus)
		path := strings.TrimRight(r.URL.EscapedPath(), "/")
		fmt.Fprint(w, `<multistatus xmlns="DAV:"><response><href>`+path+collection+`<response><href>`+path+`/d/`+collection+`</multistatus>`)
	}))
	var lines, out strings.Builder
	s, ref := sessionWith(t, server, &lines)
	err := s.Get(t.Context(), ref, filepath.Join(t.TempDir(), "got"))
	if _, ok := errors.AsType[*PartialError](err); !ok || !strings.HasSuffix(lines.String(), "it is nested too deeply\n") {
		t.Errorf("%v after %.200q", err, lines.String())
	}
	s = &Session{Client: s.Client, Out: &out, Err: &lines}
	if err := s.Tree(t.Context(), ref); err != nil || strings.Count(out.String(), "└── ") != maxDepth {
		t.Errorf("%v", err)
	}
}

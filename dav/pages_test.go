package dav_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
)

// accepts is what browsers accept.
const accepts = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// namesPage is a page that shows the fields of a Collection, without the reserved prefix that no
// answer may show, and the names of its members.
type namesPage struct{}

func (namesPage) Collection(w http.ResponseWriter, _ *http.Request, c *dav.Collection) error {
	var names []string
	for _, m := range c.Members {
		names = append(names, m.Name)
	}
	_, err := fmt.Fprintf(w, "%s root=%s base=%s assets=%s creates=%v: %s", c.Name, c.Root, c.Base, strings.Replace(c.Assets, ".davd-", "", 1), c.Creates, strings.Join(names, " "))
	return err
}

func (namesPage) Asset(name string) (content []byte, contentType string, ok bool) {
	return []byte("script"), "text/javascript", name == "a.js"
}

// TestPages: a browser gets the page of the program, and other clients the index.
func TestPages(t *testing.T) {
	s := serveMem(t, &dav.Handler{Prefix: "/dav", Pages: namesPage{}}, layout{"/c/d/b.txt": "1", "/c/d/a.zip": "333", "/c/d/C.txt": "22"})
	for _, tt := range []struct{ target, want string }{
		{"/dav/", "/ root=./ base=./ assets=./page/ creates=true: c"},
		{"/dav", "/ root=./dav/ base=./dav/ assets=./dav/page/ creates=true: c"},
		{"/dav/c/d/", "/c/d root=./../../ base=./ assets=./../../page/ creates=true: a.zip b.txt C.txt"},
		{"/dav/c/d", "/c/d root=./../ base=./d/ assets=./../page/ creates=true: a.zip b.txt C.txt"},
		{"/dav/c/d/?sort=size", "/c/d root=./../../ base=./ assets=./../../page/ creates=true: b.txt C.txt a.zip"},
		{"/dav/c/d/?sort=-size", "/c/d root=./../../ base=./ assets=./../../page/ creates=true: a.zip C.txt b.txt"},
		{"/dav/c/d/?sort=-name", "/c/d root=./../../ base=./ assets=./../../page/ creates=true: C.txt b.txt a.zip"},
		{"/dav/c/d/?sort=kind", "/c/d root=./../../ base=./ assets=./../../page/ creates=true: b.txt C.txt a.zip"},
	} {
		if a := s.wants(200, "GET", tt.target, accepts); a.body != tt.want || a.header.Get("Content-Security-Policy") != "default-src 'none'" || a.header.Get("Vary") == "" {
			t.Errorf("%s: %q, %v", tt.target, a.body, a.header)
		}
	}
	for _, fields := range [][]string{nil, {"Accept: */*"}} {
		s.index(s.wants(200, "GET", "/dav/c/", fields...))
	}
	s.index(s.wants(200, "GET", "/dav/c/?plain", accepts))
	if a := s.wants(200, "GET", "/dav/.davd-page/a.js"); a.body != "script" || a.header.Get("Content-Type") != "text/javascript" || !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Errorf("asset: %q, %v", a.body, a.header)
	}
	s.wants(404, "GET", "/dav/.davd-page/b.js")
	s.wants(405, "PUT", "/dav/.davd-page/a.js")
	s.wants(404, "GET", "/dav/c/.davd-page/a.js")
}

// TestNoPages: collections are listed by PROPFIND only.
func TestNoPages(t *testing.T) {
	s := serveMem(t, &dav.Handler{Pages: dav.NoPages{}}, layout{"/c/a": "a"})
	s.wants(403, "GET", "/c/")
	s.wants(403, "GET", "/c/?zip", accepts)
	s.wants(405, "POST", "/c/")
	s.wants(200, "GET", "/c/a")
	s.wants(207, "PROPFIND", "/c/", "Depth: 1")
}

// TestErrorPage: a browser shows an error as a page with a link to the collection above, and other
// clients get a text.
func TestErrorPage(t *testing.T) {
	s := serveMem(t, &dav.Handler{Pages: namesPage{}}, layout{"/c/a": "a"})
	for target, link := range map[string]string{"/c/none": `href="./"`, "/c/none/": `href="../"`} {
		a := s.wants(404, "GET", target, accepts)
		if !strings.Contains(a.body, link) || !strings.Contains(a.body, "<h1>There is nothing here</h1>\n<p>It may have been moved, renamed or deleted.</p>") || !strings.HasPrefix(a.header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") {
			t.Errorf("%s: %s %v", target, a.body, a.header)
		}
		if a := s.wants(404, "GET", target); a.header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %v", target, a.header)
		}
	}
}

// TestErrorPageSignIn checks that a person who is not signed in can try it again.
func TestErrorPageSignIn(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/c/", http.NoBody)
	r.Header.Set("Accept", "text/html")
	answer := httptest.NewRecorder()
	dav.Unauthorized(answer, r, "a password is needed")
	if page := answer.Body.String(); answer.Code != http.StatusUnauthorized || !strings.Contains(page, `<p>A password is needed.</p>`) || !strings.Contains(page, `<a class="button" href="">Sign in</a>`) {
		t.Errorf("%d: %s", answer.Code, page)
	}
}

// unzip returns the members of an archive in order, as name=content.
func unzip(t *testing.T, a answer) (members []string) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader([]byte(a.body)), int64(len(a.body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.File {
		if f.Modified.IsZero() && f.Name != "davd-errors.txt" {
			t.Errorf("%s has no time", f.Name)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, f.Name+"="+string(content))
	}
	slices.Sort(members)
	return members
}

// TestArchive: a collection, or some members of it, are one ZIP file.
func TestArchive(t *testing.T) {
	onBackends(t, layout{"/c/a.txt": "a", "/c/é&.txt": "e", "/c/d/b": "bb", "/c/empty/": "", "/c/.davd-x": "reserved"}, func(s *share) {
		s.h.Pages = namesPage{}
		all := []string{"a.txt=a", "d/=", "d/b=bb", "empty/=", "é&.txt=e"}
		a := s.wants(200, "GET", "/c/?zip")
		if got := unzip(s.TB.(*testing.T), a); !slices.Equal(got, all) { //nolint:forcetypeassert // onBackends gives it
			s.Errorf("all: %q", got)
		}
		if h := a.header; h.Get("Content-Type") != "application/zip" || h.Get("Content-Disposition") != `attachment; filename=c.zip` || h.Get("ETag") != "" {
			s.Errorf("headers %v", h)
		}
		if got := unzip(s.TB.(*testing.T), s.wants(200, "GET", "/c/?zip&name=d&name=%C3%A9%26.txt")); !slices.Equal(got, []string{"d/=", "d/b=bb", "é&.txt=e"}) { //nolint:forcetypeassert // as above
			s.Errorf("some: %q", got)
		}
		for _, name := range []string{"..", ".", "", "d%2fb", "%00"} {
			s.wants(400, "GET", "/c/?zip&name="+name)
		}
		missing := unzip(s.TB.(*testing.T), s.wants(200, "GET", "/c/?zip&name=.davd-x&name=none&name=a.txt")) //nolint:forcetypeassert // as above
		if want := []string{"a.txt=a", "davd-errors.txt=These members are missing in this archive:\n\n.davd-x: Not Found\nnone: Not Found\n"}; !slices.Equal(missing, want) {
			s.Errorf("missing: %q", missing)
		}
	})
}

// TestArchiveUnreadable: an archive names what can't be read, and has the rest.
func TestArchiveUnreadable(t *testing.T) {
	s := serveMem(t, &dav.Handler{Pages: namesPage{}}, layout{"/c/a": "a", "/c/bad": "b", "/c/dir/x": "x", "/c/z": "z"})
	s.before = func(op, name string) error {
		switch {
		case op == "open" && name == "/c/bad":
			return fs.ErrPermission
		case op == "readdir" && name == "/c/dir":
			return errors.New("disk")
		}
		return nil
	}
	got := unzip(t, s.wants(200, "GET", "/c/?zip"))
	if len(got) < 4 || !slices.Contains(got, "a=a") || !slices.Contains(got, "z=z") || slices.ContainsFunc(got, func(m string) bool { return strings.HasPrefix(m, "bad=") }) ||
		!slices.ContainsFunc(got, func(m string) bool {
			return strings.HasPrefix(m, "davd-errors.txt=") && strings.Contains(m, "bad: Forbidden\n") && strings.Contains(m, "dir: can't be read\n") && !strings.Contains(m, "disk")
		}) {
		t.Errorf("the archive has %q", got)
	}
}

// TestArchiveLinks: a link is in an archive what a GET finds there, and a link to a collection that
// contains it ends there.
func TestArchiveLinks(t *testing.T) {
	s := serveLocal(t, &dav.Handler{Pages: namesPage{}}, layout{"/c/file": "x", "/c/in/deep/m": "y", "/other/n": "z"})
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"c/out": outside, "c/nowhere": "none", "c/to-file": "file", "c/to-folder": "../other", "c/in/deep/above": "../..", "other/across": "../c/in",
	} {
		if err := os.Symlink(target, filepath.Join(s.dir, filepath.FromSlash(name))); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"file=x", "in/=", "in/deep/=", "in/deep/above/=", "in/deep/m=y", "to-file=x", "to-folder/=",
		"to-folder/across/=", "to-folder/across/deep/=", "to-folder/across/deep/above/=", "to-folder/across/deep/m=y", "to-folder/n=z",
	}
	if got := unzip(t, s.wants(200, "GET", "/c/?zip")); !slices.Equal(got, want) {
		t.Errorf("the archive has %q", got)
	}
	if got := unzip(t, s.wants(200, "GET", "/c/?zip&name=to-folder")); !slices.Equal(got, want[6:]) {
		t.Errorf("the archive of a link has %q", got)
	}
}

// TestArchiveRights: an archive has only what its principal may read.
func TestArchiveRights(t *testing.T) {
	s, _ := serveRights(t, layout{"/shared/f": "f", "/shared/private/secret": "s", "/drop/f": "f"}, rightsSite()...)
	s.h.Pages = namesPage{}
	for _, m := range unzip(t, s.wants(200, "GET", "/shared/?zip", "User: eve")) {
		if strings.Contains(m, "secret") || strings.HasPrefix(m, "private") {
			t.Errorf("eve gets %q", m)
		}
	}
	s.wants(403, "GET", "/drop/?zip", "User: eve")
}

// formOf returns a form and its content type. Each field is "name=value", or "file:name=content".
func formOf(fields ...string) (body string, header []string) {
	var b strings.Builder
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		disposition := `form-data; name="` + name + `"`
		if file, ok := strings.CutPrefix(name, "file:"); ok {
			disposition = `form-data; name="file"; filename="` + file + `"`
		}
		b.WriteString("--x\r\nContent-Disposition: " + disposition + "\r\n\r\n" + value + "\r\n")
	}
	b.WriteString("--x--\r\n")
	return b.String(), []string{"Content-Type: multipart/form-data; boundary=x", "Sec-Fetch-Site: same-origin"}
}

// TestForm: without scripts, a browser uploads and creates collections with forms.
func TestForm(t *testing.T) {
	onBackends(t, layout{"/c/old": "old"}, func(s *share) {
		s.h.Pages = namesPage{}
		body, header := formOf("file:a.txt=a", "file:b &.txt=bb", "folder=New ", "file:=")
		if a := s.sends(303, "POST", "/c/", body, header...); a.header.Get("Location") != "./" {
			s.Errorf("location %q", a.header.Get("Location"))
		}
		want := layout{"/c/old": "old", "/c/a.txt": "a", "/c/b &.txt": "bb", "/c/New/": ""}
		s.holds(want)
		body, header = formOf("file:old=new")
		s.sends(409, "POST", "/c/", body, header...)
		s.holds(want)
		body, header = formOf("replace=1", "file:old=new")
		s.sends(303, "POST", "/c", body, header...)
		want["/c/old"] = "new"
		s.holds(want)
		for _, fields := range [][]string{{"folder=.."}, {"folder=x/y"}, {`folder=x\y`}} {
			body, header = formOf(fields...)
			s.sends(400, "POST", "/c/", body, header...)
		}
		body, header = formOf("folder=.davd-x")
		s.sends(403, "POST", "/c/", body, header...)
		body, header = formOf("folder=New")
		s.sends(405, "POST", "/c/", body, header...)
		// A file name can't leave the collection: browsers send only the last part, and so does Go.
		body, header = formOf("file:../up=x")
		s.sends(303, "POST", "/c/", body, header...)
		want["/c/up"] = "x"
		s.holds(want)
	})
}

// TestFormResults: a client that prefers JSON gets the status of each file, and a refusal does not
// stop the others.
func TestFormResults(t *testing.T) {
	onBackends(t, layout{"/c/old": "old", "/c/d/": ""}, func(s *share) {
		s.h.Pages = namesPage{}
		body, header := formOf("modified=1000000000", "file:a=a", "file:old=new", "file:d=d", "file:b=bb", "replace=1", "file:a=aa")
		a := s.sends(200, "POST", "/c/", body, append(header, "Accept: application/json, text/html;q=0.5")...)
		want := `{"files":[{"name":"a","status":201},{"name":"old","status":412},{"name":"d","status":405},{"name":"b","status":201},{"name":"a","status":204}]}`
		if a.body != want || a.header.Get("Content-Type") != "application/json" {
			s.Errorf("%s %s, want %s", a.header.Get("Content-Type"), a.body, want)
		}
		s.holds(layout{"/c/old": "old", "/c/d/": "", "/c/a": "aa", "/c/b": "bb"})
		s.sends(201, "PUT", "/c/put", "1", "X-OC-Mtime: 1000000000")
		body, header = formOf("modified=1000000000", "file:first=1", "file:second=2")
		s.sends(200, "POST", "/c/", body, append(header, "Accept: application/json")...)
		modified := func(name string) string { return s.wants(200, "HEAD", "/c/"+name).header.Get("Last-Modified") }
		const old = "Sun, 09 Sep 2001 01:46:40 GMT"
		if put := modified("put"); put == old && modified("first") != old || modified("second") == old {
			s.Errorf("modified %s and %s, after a PUT %s", modified("first"), modified("second"), put)
		}
		// A file that has not arrived as a whole does not appear.
		body, header = formOf("file:e=e", "file:f=cut")
		a = s.sends(200, "POST", "/c/", strings.TrimSuffix(body, "\r\n--x--\r\n"), append(header, "Accept: application/json")...)
		if want := `{"files":[{"name":"e","status":201},{"name":"f","status":400}]}`; a.body != want {
			s.Errorf("%s, want %s", a.body, want)
		}
		s.wants(404, "GET", "/c/f")
		var many []string
		for i := range 1001 {
			many = append(many, "file:m"+strconv.Itoa(i)+"=")
		}
		body, header = formOf(many...)
		s.sends(413, "POST", "/c/", body, append(header, "Accept: application/json")...)
	})
}

// TestFormRefused: forms of other sites, of clients that are no browsers, and without rights or
// tokens change nothing.
func TestFormRefused(t *testing.T) {
	files := layout{"/c/f": "f"}
	s := serveMem(t, &dav.Handler{Pages: namesPage{}}, files)
	body, header := formOf("file:a=a")
	s.sends(403, "POST", "/c/", body, header[0], "Sec-Fetch-Site: cross-site")
	s.sends(403, "POST", "/c/", body, header[0], "Origin: https://evil.example")
	s.sends(403, "POST", "/c/", body, header[0])
	s.sends(415, "POST", "/c/", "file=a", "Content-Type: application/x-www-form-urlencoded", header[1])
	s.sends(405, "POST", "/c/f", body, header...)
	s.sends(404, "POST", "/none/", body, header...)
	s.lock("/c/", "Depth: infinity")
	s.sends(423, "POST", "/c/", body, header...)
	s.holds(layout{"/c/f": "f"})

	plain := serveMem(t, &dav.Handler{}, files)
	plain.sends(405, "POST", "/c/", body, header...)
	readOnly := serveMem(t, &dav.Handler{Pages: namesPage{}, ReadOnly: true}, files)
	readOnly.sends(403, "POST", "/c/", body, header...)
	readOnly.holds(files)
	restricted, _ := serveRights(t, layout{"/shared/f": "f"}, rightsSite()...)
	restricted.h.Pages = namesPage{}
	restricted.sends(403, "POST", "/shared/", body, append(header, "User: eve")...)
}

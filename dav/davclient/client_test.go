package davclient_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/dav/davclient"
	"github.com/davd/davd/storage/storagetest"
)

// hostile are names that are likely to break URLs, XML or shells.
var hostile = []string{"a b", "100%", "%41", "c#d", "e?f", "g&h", "<i>", "é", "日本", "'\"", "a;b=c", "~", "..."}

// TestClientNames checks that a listing returns each name as it was put, with a
// reference that leads to the file.
func TestClientNames(t *testing.T) {
	c, _ := served(t, webdav.NewMemFS())
	if err := c.Mkcol(t.Context(), "/d%20%23/"); err != nil {
		t.Fatal(err)
	}
	for _, name := range hostile {
		if created, err := c.Put(t.Context(), "/d%20%23/"+url.PathEscape(name), strings.NewReader(name), davclient.PutOptions{}); err != nil || !created {
			t.Errorf("%q: %v %v", name, created, err)
		}
	}
	var names []string
	for resource, err := range c.List(t.Context(), "/d%20%23", davclient.DepthInfinity) {
		if err != nil {
			t.Fatal(err)
		}
		if resource.Name == "" {
			if !resource.Collection || resource.Size != davclient.Unknown {
				t.Errorf("%+v", resource)
			}
			continue
		}
		names = append(names, resource.Name)
		content, err := c.Get(t.Context(), resource.Href, davclient.Conditions{})
		if err != nil {
			t.Errorf("%q: %v", resource.Name, err)
			continue
		}
		text, err := io.ReadAll(content)
		content.Close()
		if err != nil || !slices.Contains(hostile, string(text)) || int64(len(text)) != resource.Size || content.Size != resource.Size || content.ETag != resource.ETag || content.Modified.IsZero() || !content.Modified.Equal(resource.Modified) {
			t.Errorf("%q: %q %+v %+v %v", resource.Name, text, content, resource, err)
		}
	}
	for _, name := range hostile {
		if !slices.Contains(names, name) {
			t.Errorf("%q is not in %q", name, names)
		}
	}
}

// TestClientChanges tests the methods that change something, and their errors.
func TestClientChanges(t *testing.T) {
	c, _ := served(t, webdav.NewMemFS())
	ctx := t.Context()
	put := func(o davclient.PutOptions, content string) error {
		_, err := c.Put(ctx, "/a", strings.NewReader(content), o)
		return err
	}
	steps := []struct {
		name   string
		do     func() error
		status int // of the error; 0: none
	}{
		{"RFC 4918 §9.3: MKCOL", func() error { return c.Mkcol(ctx, "/col/") }, 0},
		{"RFC 4918 §9.3.1: MKCOL again", func() error { return c.Mkcol(ctx, "/col/") }, 405},
		{"MKCOL without a parent", func() error { return c.Mkcol(ctx, "/x/y/") }, 409},
		{"PUT", func() error { return put(davclient.PutOptions{}, "1") }, 0},
		{"RFC 9110 §13.1.2: If-None-Match", func() error {
			return put(davclient.PutOptions{Conditions: davclient.Conditions{IfNoneMatch: "*"}}, "2")
		}, 412},
		{"RFC 9110 §13.1.1: If-Match", func() error {
			return put(davclient.PutOptions{Conditions: davclient.Conditions{IfMatch: `"x"`}}, "2")
		}, 412},
		{"COPY", func() error { _, err := c.Copy(ctx, "/a", "/b", davclient.TransferOptions{}); return err }, 0},
		{"RFC 4918 §10.6: COPY onto an existing file", func() error { _, err := c.Copy(ctx, "/a", "/b", davclient.TransferOptions{}); return err }, 412},
		{"COPY with Overwrite", func() error {
			_, err := c.Copy(ctx, "/a", "/b", davclient.TransferOptions{Overwrite: true})
			return err
		}, 0},
		{"MOVE", func() error { _, err := c.Move(ctx, "/b", "/col/b", davclient.TransferOptions{}); return err }, 0},
		{"RFC 4918 §9.8.3: COPY of a collection without its members", func() error {
			_, err := c.Copy(ctx, "/col/", "/alone", davclient.TransferOptions{Shallow: true})
			return err
		}, 0},
		{"the copied collection has no members", func() error { _, err := c.Stat(ctx, "/alone/b"); return err }, 404},
		{"DELETE", func() error { return c.Delete(ctx, "/col/") }, 0},
		{"DELETE again", func() error { return c.Delete(ctx, "/col/") }, 404},
		{"GET of a missing file", func() error { _, err := c.Get(ctx, "/col", davclient.Conditions{}); return err }, 404},
		{"RFC 9110 §13.1.2: GET with If-None-Match", func() error {
			_, err := c.Get(ctx, "/a", davclient.Conditions{IfNoneMatch: "*"})
			return err
		}, 304},
	}
	for _, s := range steps {
		err := s.do()
		wrong, ok := errors.AsType[*davclient.Error](err)
		if s.status == 0 && err != nil || s.status != 0 && (!ok || wrong.Status != s.status) {
			t.Errorf("%s: %v", s.name, err)
		}
		if (s.status == 404) != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v and fs.ErrNotExist", s.name, err)
		}
	}
	modified := time.Unix(1_000_000_000, 0)
	if err := put(davclient.PutOptions{Modified: modified}, ""); err != nil {
		t.Fatal(err)
	}
	if found, err := c.Stat(ctx, "a"); err != nil || found.Size != 0 || found.Collection {
		t.Errorf("%+v %v", found, err)
	}
}

// TestClientMembers checks that an error names the members that failed (RFC 4918
// §9.6.1).
func TestClientMembers(t *testing.T) {
	fsys := webdav.NewMemFS()
	c, _ := served(t, fsys)
	for _, name := range []string{"/c/", "/c/a%20b", "/c/ok"} {
		if strings.HasSuffix(name, "/") {
			if err := c.Mkcol(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		} else if _, err := c.Put(t.Context(), name, strings.NewReader("x"), davclient.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(&dav.Handler{FileSystem: &storagetest.Fault{FS: fsys, Before: func(_, name string) error {
		if name == "/c/a b" {
			return fs.ErrPermission
		}
		return nil
	}}})
	t.Cleanup(server.Close)
	err := clientOf(t, server.URL).Delete(t.Context(), "/c/")
	wrong, ok := errors.AsType[*davclient.Error](err)
	if !ok || wrong.Status != 207 || len(wrong.Members) == 0 || wrong.Members[0].Href != "/c/a%20b" || wrong.Members[0].Status != 403 {
		t.Errorf("%v", err)
	}
}

// TestClientRedirections tests which redirections the client follows (RFC 9110
// §15.4), and which servers get the password.
func TestClientRedirections(t *testing.T) {
	var seen []string
	record := func(who string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _, password := r.BasicAuth()
			body, _ := io.ReadAll(r.Body)
			seen = append(seen, fmt.Sprintf("%s %s %s %v %q", who, r.Method, r.URL.Path, password, body))
			w.WriteHeader(http.StatusNoContent)
		}
	}
	other := httptest.NewServer(record("other"))
	defer other.Close()
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := 0
		_, _ = fmt.Sscanf(r.URL.Query().Get("status"), "%d", &status)
		location := map[string]string{
			"/slash": "/slash/", "/other": other.URL + "/o", "/loop": r.URL.String(), "/file": "file:///etc/passwd",
			"/same-user": "http://eve:secret@" + r.Host + "/u",
		}[r.URL.Path]
		if location == "" || status == 0 {
			record("here")(w, r)
			return
		}
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}))
	defer here.Close()
	for _, c := range []struct {
		name, method, ref, body string
		status                  int
		want                    string // the last request; "" if only the first was sent
		err                     string
	}{
		{"§15.4.2: a collection without its slash", "PROPFIND", "/slash?status=301", "b", 204, `here PROPFIND /slash/ true "b"`, ""},
		{"§15.4.3", "COPY", "/slash?status=302", "", 204, `here COPY /slash/ true ""`, ""},
		{"§15.4.4: another resource", "COPY", "/slash?status=303", "", 303, "", ""},
		{"§15.4.8", "DELETE", "/slash?status=307", "", 204, `here DELETE /slash/ true ""`, ""},
		{"§15.4.9", "PUT", "/slash?status=308", "content", 204, `here PUT /slash/ true "content"`, ""},
		{"RFC 3986 §7.5: another user", "GET", "/same-user?status=308", "", 204, `here GET /u true ""`, ""},
		{"GET follows to another server, without the password", "GET", "/other?status=302", "", 204, `other GET /o false ""`, ""},
		{"PUT does not follow", "PUT", "/other?status=307", "content", 0, "", "another server"},
		{"DELETE does not follow", "DELETE", "/other?status=308", "", 0, "", "another server"},
		{"PROPFIND does not follow", "PROPFIND", "/other?status=301", "", 0, "", "another server"},
		{"another scheme", "GET", "/file?status=302", "", 0, "", "another server"},
		{"a loop", "GET", "/loop?status=302", "", 0, "", "more than 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen = nil
			client := clientOf(t, here.URL)
			client.User = url.UserPassword("ann", "secret")
			response, err := client.Do(t.Context(), c.method, c.ref, nil, strings.NewReader(c.body))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v", err)
				}
				if len(seen) > 0 {
					t.Errorf("%q", seen)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != c.status || strings.Join(seen, "; ") != c.want {
				t.Errorf("%d after %q", response.StatusCode, seen)
			}
		})
	}
	client := clientOf(t, here.URL)
	if _, err := client.Stat(t.Context(), other.URL+"/"); !errors.Is(err, davclient.ErrOtherServer) {
		t.Errorf("a reference to another server: %v", err)
	}
	if _, err := client.Copy(t.Context(), "/a", other.URL+"/b", davclient.TransferOptions{}); !errors.Is(err, davclient.ErrOtherServer) {
		t.Errorf("a destination on another server: %v", err)
	}
}

// TestNew tests which URLs New accepts, and that Base does not contain the user.
func TestNew(t *testing.T) {
	c, err := davclient.New("http://ann:secret@h/a/#x")
	if err != nil || c.Base.String() != "http://h/a/" || c.User.String() != "ann:secret" {
		t.Errorf("%+v %v", c, err)
	}
	for _, wrong := range []string{"", "h", "/a", "ftp://h/", "http:///a", "http://[/"} {
		if _, err := davclient.New(wrong); err == nil {
			t.Errorf("New accepted %q", wrong)
		}
	}
	if _, err := davclient.New("ftp://ann:secret@h/"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

// TestListFlat lists a collection with many members, to its end and only in part.
func TestListFlat(t *testing.T) {
	c := clientOf(t, endless(t, 50_000))
	n := 0
	for resource, err := range c.List(t.Context(), "/", davclient.Depth1) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; resource.Size != davclient.Unknown && resource.Name == "" {
			t.Errorf("%+v", resource)
		}
	}
	if n != 50_001 {
		t.Errorf("%d members", n)
	}
	for _, err := range c.List(t.Context(), "/", davclient.Depth1) {
		if err != nil {
			t.Error(err)
		}
		break // without reading the rest
	}
}

// endless starts a server whose root has the given number of members, and returns
// its URL.
func endless(t *testing.T, members int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, `<multistatus xmlns="DAV:"><response><href>/</href><propstat><prop/><status>HTTP/1.1 200 OK</status></propstat></response>`)
		for i := range members {
			fmt.Fprintf(w, `<response><href>/%d</href><propstat><prop><getcontentlength>1</getcontentlength></prop><status>HTTP/1.1 200 OK</status></propstat></response>`, i)
		}
		_, _ = io.WriteString(w, `</multistatus>`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

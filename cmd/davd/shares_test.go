package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// running is a davd that serves a configuration file in this process.
type running struct {
	testing.TB
	*site

	dir  string // with the file davd.yaml
	url  string
	stop func()
	// hashes are the hashes of passwords by user.
	hashes map[string]string
}

// passwordOf returns the password of a user in tests, which is also how its hash is made.
func passwordOf(user string) string { return "password of " + user }

// hashOf returns a hash of a user's password that takes little time. It stays the same.
func (r *running) hashOf(user string) string {
	r.Helper()
	if hash, ok := r.hashes[user]; ok {
		return hash
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(passwordOf(user)), bcrypt.MinCost)
	if err != nil {
		r.Fatal(err)
	}
	r.hashes[user] = string(hash)
	return string(hash)
}

// write writes the file name below the directory of r. DIR in it stands for that directory, and
// HASH(user) for the hash of a password.
func (r *running) write(name, content string) {
	r.Helper()
	content = strings.ReplaceAll(content, "DIR", r.dir)
	for {
		before, rest, found := strings.Cut(content, "HASH(")
		if !found {
			break
		}
		user, after, _ := strings.Cut(rest, ")")
		content = before + "'" + r.hashOf(user) + "'" + after
	}
	name = filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		r.Fatal(err)
	}
	// Like an editor: no reader sees half of it.
	if err := os.WriteFile(name+"~", []byte(content), 0o600); err != nil {
		r.Fatal(err)
	}
	if err := os.Rename(name+"~", name); err != nil {
		r.Fatal(err)
	}
}

// serveFile starts a davd with this configuration. Its state is in the directory state.
func serveFile(tb testing.TB, dir, file string) *running {
	tb.Helper()
	return serveFileWith(tb, dir, familyHead+file)
}

// serveFileWith is serveFile for a whole file.
func serveFileWith(tb testing.TB, dir, file string) *running {
	tb.Helper()
	r := &running{TB: tb, dir: dir, hashes: make(map[string]string)}
	r.write("davd.yaml", file)
	cfg := config.New(nil)
	if err := cfg.LoadFile(filepath.Join(dir, "davd.yaml")); err != nil {
		tb.Fatal(err)
	}
	log, level := newLogAt(io.Discard, cfg)
	r.site = &site{frontage: frontage{cfg: cfg, log: log, done: func(*http.Request, accesslog.Record) {}}, level: level}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	if err := r.openAll(ctx); err != nil {
		cancel()
		tb.Fatal(err)
	}
	r.ready = func(listeners []*server.Listener) { ready <- listeners[0].Where(false, "") }
	go func() { ended <- r.serve(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
		r.stop = func() {}
	}
	tb.Cleanup(func() { r.stop() })
	select {
	case r.url = <-ready:
	case err := <-ended:
		ended <- nil
		tb.Fatal(err)
	}
	return r
}

// do sends a request of user, who may be "", and returns the status and the body of the answer. Each
// of fields has the form "Name: value".
func (r *running) do(user, method, path, body string, fields ...string) (status int, content string) {
	r.Helper()
	status, content, err := r.try(r.Context(), user, method, path, body, fields...)
	if err != nil {
		r.Error(err)
	}
	return status, content
}

func (r *running) try(ctx context.Context, user, method, path, body string, fields ...string) (status int, content string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, r.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if user != "" {
		request.SetBasicAuth(user, passwordOf(user))
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		request.Header.Set(name, strings.ReplaceAll(value, "URL", r.url))
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(read), err
}

// wants sends a request without a body and checks the status of the answer.
func (r *running) wants(status int, user, method, path string, fields ...string) string {
	r.Helper()
	got, content := r.do(user, method, path, "", fields...)
	if got != status {
		r.Errorf("%s %s %s %q: %d, want %d: %s", user, method, path, fields, got, status, content)
	}
	return content
}

// file returns the content of a file below the directory of r, or "" if there is none.
func (r *running) file(name string) string {
	r.Helper()
	content, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil && !os.IsNotExist(err) {
		r.Error(err)
	}
	return string(content)
}

// familyHead has the settings of each file in tests.
const familyHead = "addr: 127.0.0.1:0\nstate: DIR/state\ndrain: 1s\n"

const familyFile = `
users:
  ann: {password: HASH(ann), groups: [family]}
  bob: {password: HASH(bob)}
shares:
  /photos:
    dir: DIR/photos
    rights: {family: write, bob: read}
  "/home/{user}":
    dir: "DIR/home/{user}"
    create: true
  /public:
    dir: DIR/public
    rights: {anyone: read, ann: write}
`

// family starts a davd with familyFile.
func family(tb testing.TB) *running {
	tb.Helper()
	dir := tb.TempDir()
	for _, name := range []string{"photos/2024", "home", "public"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	for name, content := range map[string]string{"photos/a.jpg": "a", "photos/2024/b.jpg": "b", "public/p": "p"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return serveFile(tb, dir, familyFile)
}

// TestShares uses the shares of a family as a new user would.
func TestShares(t *testing.T) {
	r := family(t)
	for _, user := range []string{"ann", "bob"} {
		list := r.wants(http.StatusMultiStatus, user, "PROPFIND", "/", "Depth: infinity")
		for _, other := range []string{"ann", "bob"} {
			if seen := strings.Contains(list, "<D:href>/home/"+other+"/</D:href>"); seen != (user == other) {
				t.Errorf("%s sees the home of %s: %t", user, other, seen)
			}
		}
		r.wants(http.StatusOK, user, "GET", "/photos/a.jpg")
		r.wants(http.StatusCreated, user, "PUT", "/home/"+user+"/x")
	}
	r.wants(http.StatusForbidden, "bob", "PUT", "/photos/new")
	r.wants(http.StatusNotFound, "bob", "GET", "/home/ann/x")
	r.wants(http.StatusUnauthorized, "", "PROPFIND", "/")
	r.wants(http.StatusOK, "", "GET", "/public/p")
	r.wants(http.StatusUnauthorized, "", "PUT", "/public/new")
	r.wants(http.StatusCreated, "ann", "COPY", "/photos/", "Destination: URL/home/ann/photos")
	r.wants(http.StatusCreated, "ann", "MOVE", "/home/ann/photos/2024/", "Destination: URL/public/2024")
	r.wants(http.StatusForbidden, "ann", "DELETE", "/photos/")
	r.wants(http.StatusForbidden, "ann", "MOVE", "/photos/", "Destination: URL/home/ann/all")
	r.wants(http.StatusForbidden, "ann", "MKCOL", "/new")
	for name, content := range map[string]string{"home/ann/photos/a.jpg": "a", "public/2024/b.jpg": "b", "photos/2024/b.jpg": "b"} {
		if got := r.file(name); got != content {
			t.Errorf("%s contains %q, want %q", name, got, content)
		}
	}
}

// TestHome: a user can see a home at / and other shares beside its members.
func TestHome(t *testing.T) {
	r := family(t)
	r.write("davd.yaml", familyHead+strings.Replace(familyFile, "bob: {", "bob: {home: '/home/{user}', ", 1))
	if _, err := r.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wants(http.StatusCreated, "bob", "PUT", "/own")
	list := r.wants(http.StatusMultiStatus, "bob", "PROPFIND", "/", "Depth: infinity")
	for _, href := range []string{"/", "/own", "/photos/", "/photos/2024/b.jpg", "/public/p"} {
		if !strings.Contains(list, "<D:href>"+href+"</D:href>") {
			t.Errorf("%s is not listed", href)
		}
	}
	if strings.Contains(list, "/home/") {
		t.Errorf("the name of the home is shown: %s", list)
	}
	r.wants(http.StatusCreated, "bob", "COPY", "/photos/a.jpg", "Destination: URL/mine.jpg")
	r.wants(http.StatusForbidden, "bob", "MOVE", "/photos/a.jpg", "Destination: URL/moved.jpg")
	r.wants(http.StatusForbidden, "bob", "DELETE", "/photos/")
	if r.file("home/bob/mine.jpg") != "a" || r.file("photos/a.jpg") != "a" {
		t.Error("the copy is missing")
	}
	list = r.wants(http.StatusMultiStatus, "ann", "PROPFIND", "/", "Depth: 1")
	if !strings.Contains(list, "<D:href>/home/</D:href>") {
		t.Error("ann sees another view")
	}
}

// TestHomeHidden: a share that a user may not see is not in the user's view, so it neither hides a
// member of the home nor shows that it exists. macOS sends the names of mount points decomposed.
func TestHomeHidden(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"home/bob", "secret", "many"} {
		must(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
	}
	for _, name := range []string{"home/bob/secret", "secret/s", "many/m"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	const file = `
trusted-proxy: 127.0.0.1
user-header: {name: X-User, groups-header: X-Groups}
users:
  ann: {password: HASH(ann)}
  bob: {password: HASH(bob)}
home: "/home/{user}"
shares:
  "/home/{user}": {dir: "DIR/home/{user}"}
  /secret: {dir: DIR/secret, rights: {ann: write, "group:wheel": read}}
  /späte: {dir: DIR/many}
`
	r := serveFile(t, dir, file)
	if _, content := r.do("bob", "GET", "/secret", ""); content != "home/bob/secret" {
		t.Errorf("GET /secret is %q", content)
	}
	if list := r.wants(http.StatusMultiStatus, "bob", "PROPFIND", "/", "Depth: 1"); !strings.Contains(list, "<D:href>/secret</D:href>") {
		t.Errorf("the member of the home is not listed: %s", list)
	}
	r.wants(http.StatusNoContent, "bob", "DELETE", "/secret")
	r.wants(http.StatusNotFound, "bob", "GET", "/secret")
	// A view depends on the groups of the login.
	r.wants(http.StatusOK, "", "GET", "/secret/s", "X-User: bob", "X-Groups: wheel")
	r.wants(http.StatusNotFound, "", "GET", "/secret/s", "X-User: bob")
	for _, spelling := range []string{"sp%C3%A4te", "spa%CC%88te"} {
		r.wants(http.StatusOK, "bob", "GET", "/"+spelling+"/m")
		r.wants(http.StatusForbidden, "bob", "DELETE", "/"+spelling+"/")
		r.wants(http.StatusForbidden, "bob", "MOVE", "/"+spelling+"/m", "Destination: URL/"+spelling)
		r.wants(http.StatusCreated, "bob", "COPY", "/"+spelling+"/m", "Destination: URL/"+spelling+"/copy")
		r.wants(http.StatusNoContent, "bob", "DELETE", "/"+spelling+"/copy")
	}
}

// TestReloadAsserted: a reload doesn't stop the operations of users whom only the proxy knows.
func TestReloadAsserted(t *testing.T) {
	dir := t.TempDir()
	for i := range 40 {
		must(t, os.MkdirAll(filepath.Join(dir, fmt.Sprint("files/s/", i)), 0o755))
	}
	const file = `
latency: 10ms
trusted-proxy: 127.0.0.1
user-header: {name: X-User}
users:
  ann: {password: HASH(ann)}
shares:
  /files: {dir: DIR/files, rights: {users: write}}
  /other: {mem: true}
`
	r := serveFile(t, dir, file)
	for _, tt := range []struct {
		name, replaced, by string
		status             int
	}{
		{"another setting", "/other:", "/others:", http.StatusCreated},
		{"no right", "{users: write}", "{users: read}", http.StatusForbidden},
		{"no proxy", "user-header: {name: X-User}\n", "", http.StatusForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.write("davd.yaml", familyHead+file)
			_, err := r.reload(t.Context())
			must(t, err)
			ended := make(chan int, 1)
			go func() {
				status, _, err := r.try(t.Context(), "", "COPY", "/files/s/", "", "X-User: dora", "Destination: URL/files/d")
				if err != nil {
					t.Error(err)
				}
				ended <- status
			}()
			for len(r.handler.Operations()) == 0 {
				time.Sleep(time.Millisecond)
			}
			r.write("davd.yaml", familyHead+strings.Replace(file, tt.replaced, tt.by, 1))
			_, err = r.reload(t.Context())
			must(t, err)
			if status := <-ended; status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			must(t, os.RemoveAll(filepath.Join(dir, "files/d")))
		})
	}
}

// TestReloadAsync: an operation without a waiting client ends when its user loses the right.
func TestReloadAsync(t *testing.T) {
	dir := t.TempDir()
	for i := range 40 {
		must(t, os.MkdirAll(filepath.Join(dir, fmt.Sprint("files/s/", i)), 0o755))
	}
	const file = `
latency: 10ms
users:
  ann: {password: HASH(ann)}
  bob: {password: HASH(bob)}
shares:
  /files: {dir: DIR/files, rights: {ann: write, bob: write}}
`
	r := serveFile(t, dir, file)
	for _, user := range []string{"ann", "bob"} {
		r.wants(http.StatusAccepted, user, "COPY", "/files/s/", "Destination: URL/files/"+user, "Prefer: respond-async, wait=0")
	}
	r.write("davd.yaml", familyHead+strings.Replace(file, "bob: write", "bob: read", 1))
	_, err := r.reload(t.Context())
	must(t, err)
	for len(r.handler.Operations()) > 0 {
		time.Sleep(time.Millisecond)
	}
	for user, status := range map[string]string{"ann": `"status":201`, "bob": `"status":403`} {
		if list := r.wants(http.StatusOK, user, "GET", "/.davd-operations/", "Accept: application/json"); !strings.Contains(list, status) {
			t.Errorf("%s: %s", user, list)
		}
		if _, err := os.Stat(filepath.Join(dir, "files", user)); (err == nil) != (user == "ann") {
			t.Errorf("%s: %v", user, err)
		}
	}
}

// TestReloadSwap: when a reload gives two shares each other's directories, no request sees the
// content of one with the rights of the other.
func TestReloadSwap(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"open", "secret"} {
		must(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name, "f"), []byte(name), 0o600))
	}
	file := func(open, secret string) string {
		return fmt.Sprintf(`
users:
  ann: {password: HASH(ann)}
  bob: {password: HASH(bob)}
shares:
  %s: {id: open, dir: DIR/open, rights: {users: write}}
  %s: {id: secret, dir: DIR/secret, rights: {ann: write}}
`, open, secret)
	}
	r := serveFile(t, dir, file("/a", "/b"))
	var clients sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for i := range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				if _, content, err := r.try(ctx, "bob", "GET", []string{"/a/f", "/b/f"}[i%2], ""); err == nil && content == "secret" {
					t.Error("bob reads the secret")
				}
			}
		})
	}
	for range sweep.Size(20, 500) {
		for _, content := range []string{file("/b", "/a"), file("/a", "/b")} {
			r.write("davd.yaml", familyHead+content)
			_, err := r.reload(t.Context())
			must(t, err)
		}
	}
	stop()
	clients.Wait()
}

// TestReloadRights: a new right counts for the next request, and an invalid file changes nothing.
func TestReloadRights(t *testing.T) {
	r := family(t)
	reload := func(old, replacement string) error {
		t.Helper()
		file := familyHead + strings.Replace(familyFile, old, replacement, 1)
		r.write("davd.yaml", file)
		_, err := r.reload(t.Context())
		return err
	}
	if err := reload("bob: read", "bob: none"); err != nil {
		t.Fatal(err)
	}
	r.wants(http.StatusNotFound, "bob", "GET", "/photos/a.jpg")
	if err := reload("bob: read", "bobb: read"); err == nil || !strings.Contains(err.Error(), "did you mean bob?") {
		t.Errorf("error %v", err)
	}
	r.wants(http.StatusNotFound, "bob", "GET", "/photos/a.jpg")
	if err := reload("  bob: {password: HASH(bob)}\n", ""); err == nil {
		t.Error("a right for a removed user is accepted")
	}
	if err := reload("  /public:", "  /open:"); err != nil {
		t.Fatal(err)
	}
	r.wants(http.StatusOK, "bob", "GET", "/photos/a.jpg")
	r.wants(http.StatusOK, "", "GET", "/open/p")
	r.wants(http.StatusUnauthorized, "", "GET", "/public/p")
}

// TestMissingShares: missing directories don't keep davd from serving the other shares, also if a
// file of users must be outside of all shares.
func TestMissingShares(t *testing.T) {
	dir := t.TempDir()
	r := &running{TB: t, dir: dir, hashes: make(map[string]string)}
	r.write("users", "ann:HASH(ann)\n")
	r.write("users", strings.ReplaceAll(r.file("users"), "'", ""))
	r = serveFile(t, dir, `
htpasswd: DIR/users
shares:
  /here: {dir: DIR/here, create: true}
  /away: {dir: DIR/away, mounted: true}
  "/home/{user}": {dir: "DIR/home/{user}", create: true}
`)
	r.wants(http.StatusCreated, "ann", "PUT", "/here/file")
	r.wants(http.StatusCreated, "ann", "PUT", "/home/ann/file")
	r.wants(http.StatusServiceUnavailable, "ann", "GET", "/away/file")
	if _, err := r.reload(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestQuotaProperties checks that a listing has the space of each share at its collections, and
// none at collections that belong to no share.
func TestQuotaProperties(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"one/in", "two", "inner/deep"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := serveFile(t, dir, `
shares:
  /one: {dir: DIR/one, quota: 1000B}
  /one/inner: {dir: DIR/inner, quota: 2000B}
  /x/two: {dir: DIR/two, quota: 3000B}
  /mem: {mem: true}
`)
	_, listing := r.do("", "PROPFIND", "/", `<propfind xmlns="DAV:"><prop><quota-available-bytes/></prop></propfind>`, "Depth: infinity")
	for href, want := range map[string]string{
		"/": "", "/mem/": "", "/x/": "", "/one/": "1000", "/one/in/": "1000", "/one/inner/": "2000", "/one/inner/deep/": "2000", "/x/two/": "3000",
	} {
		_, response, _ := strings.Cut(listing, "<D:href>"+href+"</D:href>")
		response, _, _ = strings.Cut(response, "</D:response>")
		_, got, _ := strings.Cut(response, "<D:quota-available-bytes>")
		got, _, _ = strings.Cut(got, "<")
		if response == "" || got != want {
			t.Errorf("%s has %q bytes, want %q: %s", href, got, want, response)
		}
	}
}

// TestRightsWithoutUsers: rights count also on a server that asks for no password.
func TestRightsWithoutUsers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"show", "open"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := serveFile(t, dir, "shares:\n  /show:\n    dir: DIR/show\n    rights: {anyone: read}\n  /open:\n    dir: DIR/open\n")
	r.wants(http.StatusForbidden, "", "PUT", "/show/new")
	r.wants(http.StatusMultiStatus, "", "PROPFIND", "/show/", "Depth: 1")
	r.wants(http.StatusCreated, "", "PUT", "/open/new")
}

// TestPublicInShareOfUsers: a public share is reached without a password, even if another share
// has a place for a user of its name.
func TestPublicInShareOfUsers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"of", "pub"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := serveFile(t, dir, "users:\n  ann: {password: HASH(ann)}\nshares:\n  \"/a/{user}\":\n    dir: \"DIR/of/{user}\"\n    create: true\n  /a/pub:\n    dir: DIR/pub\n    rights: {anyone: read}\n")
	r.wants(http.StatusMultiStatus, "", "PROPFIND", "/a/pub/", "Depth: 1")
	r.wants(http.StatusUnauthorized, "", "PROPFIND", "/a/ann/", "Depth: 1")
	r.wants(http.StatusMultiStatus, "ann", "PROPFIND", "/a/ann/", "Depth: 1")
}

package backend

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/storagetest"
)

func TestSFTPConformance(t *testing.T) {
	// All checks share a connection, because connecting takes longer than most of them.
	up := startSSHD(t).open(t, "/")
	storagetest.Suite{
		New: func(t *testing.T) storage.FS {
			r := &remoteFs{connection: up.remote.connection, root: t.TempDir()}
			return &SFTP{FS: aferofs.New(r), remote: r}
		},
		Deviations: map[string]string{
			"ReplaceFileTimes": "the protocol has times in whole seconds",
			"PatchFileChanged": "two versions of one second and one size look the same",
		},
	}.Run(t)
}

// serve serves fsys, and returns a function that sends a request.
func serve(t *testing.T, fsys storage.FS) func(method, path, body string, header ...string) (int, string) {
	t.Helper()
	server := httptest.NewServer(&dav.Handler{FileSystem: fsys})
	t.Cleanup(server.Close)
	return func(method, path, body string, header ...string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		content, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(content)
	}
}

// TestSFTPMethods uses the methods of WebDAV on a server.
func TestSFTPMethods(t *testing.T) {
	dir := t.TempDir()
	send := serve(t, startSSHD(t).open(t, dir))
	if err := os.Symlink("/etc", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		method, path, body string
		header             []string
		want               int
		has                string
	}{
		{"MKCOL", "/c", "", nil, 201, ""},
		{"PUT", "/c/f", "content", nil, 201, ""},
		{"PUT", "/c/f", "other content", nil, 204, ""},
		{"GET", "/c/f", "", nil, 200, "other content"},
		{"GET", "/c/f", "", []string{"Range", "bytes=6-12"}, 206, "content"},
		{"COPY", "/c", "", []string{"Destination", "/d"}, 201, ""},
		{"COPY", "/c/f", "", []string{"Destination", "/d/f"}, 204, ""},
		{"MOVE", "/d", "", []string{"Destination", "/e"}, 201, ""},
		{"PROPFIND", "/", "", []string{"Depth", "infinity"}, 207, "/e/f"},
		{"PROPFIND", "/", `<propfind xmlns="DAV:"><prop><quota-available-bytes/></prop></propfind>`, []string{"Depth", "0"}, 207, "200 OK"},
		{"GET", "/out/passwd", "", nil, 404, ""},
		{"PUT", "/missing/f", "x", nil, 409, ""},
		{"DELETE", "/e", "", nil, 204, ""},
		{"GET", "/e/f", "", nil, 404, ""},
	} {
		if code, body := send(step.method, step.path, step.body, step.header...); code != step.want || !strings.Contains(body, step.has) {
			t.Errorf("%s %s: %d %s", step.method, step.path, code, body)
		}
	}
	if content, err := os.ReadFile(filepath.Join(dir, "c/f")); err != nil || string(content) != "other content" {
		t.Errorf("the file has %q, error %v", content, err)
	}
}

// TestSFTPKilled kills the server in the middle of a COPY, and later starts it again.
func TestSFTPKilled(t *testing.T) {
	server := startSSHD(t)
	dir := t.TempDir()
	big := strings.Repeat("0123456789abcdef", 1<<20)
	for name, content := range map[string]string{"source/a": big, "source/b": big, "source/c": big, "target/old": "old"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fsys := server.open(t, dir)
	send := serve(t, fsys)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for range 1000 {
			if stages, _ := filepath.Glob(filepath.Join(dir, ".davd-*", "a")); len(stages) > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		server.kill()
	}()
	code, body := send("COPY", "/source", "", "Destination", "/target")
	<-killed
	if code != http.StatusServiceUnavailable {
		t.Errorf("COPY: %d %s", code, body)
	}
	if content, err := os.ReadFile(filepath.Join(dir, "target/old")); err != nil || string(content) != "old" {
		t.Errorf("the target has %q, error %v", content, err)
	}
	if code, body := send("GET", "/source/a", ""); code != http.StatusServiceUnavailable {
		t.Errorf("GET while the server is down: %d %.100s", code, body)
	}
	if err := fsys.Available(t.Context()); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	server.start()
	for range 100 {
		if code, body = send("GET", "/source/a", ""); code != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if code != http.StatusOK || body != big {
		t.Errorf("GET after the restart: %d, %d bytes", code, len(body))
	}
	if code, body := send("COPY", "/source", "", "Destination", "/target"); code != http.StatusNoContent {
		t.Errorf("COPY after the restart: %d %s", code, body)
	}
	if content, err := os.ReadFile(filepath.Join(dir, "target/c")); err != nil || string(content) != big {
		t.Errorf("the copy has %d bytes, error %v", len(content), err)
	}
}

// TestSFTPRefused checks what must not connect.
func TestSFTPRefused(t *testing.T) {
	server := startSSHD(t)
	other := startSSHD(t)
	server.write("empty", "")
	server.write("wrong", strings.ReplaceAll(server.read("known_hosts"), strings.Fields(server.read("host.pub"))[1], strings.Fields(other.read("host.pub"))[1]))
	change := func(name, value string) *url.URL {
		u := server.url("/tmp")
		query := u.Query()
		query.Set(name, value)
		u.RawQuery = query.Encode()
		return u
	}
	for name, u := range map[string]*url.URL{
		"an unknown host key":      change("known-hosts", server.file("empty")),
		"another host key":         change("known-hosts", server.file("wrong")),
		"no known hosts":           change("known-hosts", server.file("missing")),
		"another user key":         change("key", other.file("user")),
		"a missing key":            change("key", server.file("missing")),
		"a password":               change("password-file", server.file("known_hosts")),
		"an unknown parameter":     change("insecure", "yes"),
		"a missing directory":      server.url("/no/such/directory"),
		"a file":                   server.url("/etc/passwd"),
		"a server that is missing": {Scheme: "sftp", Host: "127.0.0.1:1", Path: "/", RawQuery: server.url("/").RawQuery},
	} {
		fsys, err := OpenSFTP(t.Context(), u, slog.New(slog.DiscardHandler))
		if err == nil {
			t.Errorf("%s: it connects", name)
			_ = fsys.Close()
		}
	}
	for _, bad := range []string{"sftp://ann:secret@host/", "sftp:///x", "http://host/", "sftp://%zz@host/", "sftp://ann:secret@%zz/"} {
		if _, err := ParseSFTP(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}

func TestIdentity(t *testing.T) {
	for text, want := range map[string]string{
		"sftp://Ann@NAS:22/data?key=/k&known-hosts=/h": "sftp://Ann@nas:22/data",
		"sftp://nas/~/x": "sftp://nas/~/x",
	} {
		if got, err := Identity(text); err != nil || got != want {
			t.Errorf("%s is %s, error %v", text, got, err)
		}
	}
}

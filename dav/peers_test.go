package dav_test

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/local"
)

// TestPeersSafety sends requests that lost data on other servers, and checks the
// correct behaviour.
func TestPeersSafety(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *share)
		want layout
	}{
		{"§9.9 MOVE of a missing source onto a file", func(s *share) {
			s.wants(404, "MOVE", "/none", "Destination: /old", "Overwrite: T")
		}, garden()},
		{"§9.9 MOVE of a collection into its own child", func(s *share) {
			s.wants(403, "MOVE", "/c/", "Destination: /c/s/", "Overwrite: T")
			s.wants(403, "MOVE", "/c/", "Destination: /c/s/new/")
		}, garden()},
		{"§9.8.5 COPY of a collection onto its own parent", func(s *share) {
			s.wants(403, "COPY", "/c/s/", "Destination: /c/", "Overwrite: T")
			s.wants(403, "COPY", "/c/s/", "Destination: /")
		}, garden()},
		{"§9.8.5 COPY of a collection into its own child", func(s *share) {
			s.wants(403, "COPY", "/c/", "Destination: /c/s/new/")
		}, garden()},
		{"§10.6 MOVE without Overwrite onto a file", func(s *share) {
			s.wants(204, "MOVE", "/f", "Destination: /old")
		}, garden().without("/f", "/old").with(layout{"/old": "file"})},
		{"RFC 9110 §9.3.4 PUT new and again", func(s *share) {
			s.sends(201, "PUT", "/new", "one")
			s.sends(204, "PUT", "/new", "two")
		}, garden().with(layout{"/new": "two"})},
		{"RFC 9110 §13.1 PUT with If-None-Match: * and a wrong If-Match", func(s *share) {
			s.sends(412, "PUT", "/f", "x", "If-None-Match: *")
			s.sends(412, "PUT", "/f", "x", `If-Match: "other"`)
			s.sends(412, "PUT", "/new", "x", "If-Match: *")
		}, garden()},
		{"RFC 9110 §14.4 PUT with Content-Range", func(s *share) {
			s.sends(400, "PUT", "/old", "x", "Content-Range: bytes 1-1/11")
		}, garden()},
		{"PUT cut off half way", func(s *share) {
			connection := s.dial()
			connection.write("PUT /old HTTP/1.1\nContent-Length: 1000\n\nhalf of it")
			connection.end()
			if got := connection.status(); got != 400 {
				s.Errorf("%d, want 400", got)
			}
		}, garden()},
		{"§9.6 PUT after DELETE of a locked file", func(s *share) {
			token := s.lock("/f")
			s.wants(204, "DELETE", "/f", "If: (<"+token+">)")
			s.sends(201, "PUT", "/f", "again")
		}, garden().with(layout{"/f": "again"})},
		{"§9.6.1 DELETE of a collection with a locked member", func(s *share) {
			s.lock("/c/s/d")
			s.failures(s.do("DELETE", "/c/"), map[string]int{"/c/s/d": 423})
		}, garden()},
		{"§9.8.3 partial failure of COPY", func(s *share) {
			s.fail(fs.ErrPermission, "open", "/c/m")
			s.failures(s.do("COPY", "/c/", "Destination: /new/"), map[string]int{"/c/m": 403})
		}, garden().with(garden().at("/c", "/new")).without("/new/m")},
		{"§9.9.2 partial failure of MOVE", func(s *share) {
			s.fail(fs.ErrPermission, "rename", "/c")
			s.wants(403, "MOVE", "/c/", "Destination: /new/")
		}, garden()},
		{"§9.6.1 partial failure of DELETE", func(s *share) {
			s.fail(fs.ErrPermission, "remove", "/c/m")
			s.failures(s.do("DELETE", "/c/"), map[string]int{"/c/m": 403})
		}, garden().without("/c/s", "/c/empty/")},
		{"32 MiB PROPFIND body", func(s *share) {
			s.large(413, "PROPFIND")
		}, garden()},
		{"§9.3 32 MiB MKCOL body", func(s *share) {
			s.large(415, "MKCOL")
		}, garden()},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBackends(t, garden(), func(s *share) {
				c.do(s)
				s.before = nil
				s.holds(c.want)
			})
		})
	}
}

// names is a document of 32 MiB of property names.
type names struct{ sent int }

const (
	namesStart = `<propfind xmlns="DAV:"><prop>`
	namesSize  = 32 << 20
)

func (n *names) Read(p []byte) (int, error) {
	if n.sent == namesSize {
		return 0, io.EOF
	}
	p = p[:min(len(p), namesSize-n.sent)]
	for i := range p {
		if n.sent < len(namesStart) {
			p[i] = namesStart[n.sent]
		} else {
			p[i] = "<a/>"[(n.sent-len(namesStart))%4]
		}
		n.sent++
	}
	return len(p), nil
}

// large sends a body that is too large and checks that the server reads only little of
// it: it must allocate less than half of the memory that reading all of it would take.
func (s *share) large(status int, method string) {
	s.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, length := range []int64{namesSize, -1} {
		request, err := http.NewRequestWithContext(s.Context(), method, s.server.URL+"/large", &names{})
		if err != nil {
			s.Fatal(err)
		}
		request.ContentLength = length
		response, err := s.server.Client().Do(request)
		if err != nil {
			s.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != status {
			s.Errorf("length %d: %s, want %d", length, response.Status, status)
		}
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 96<<20 {
		s.Errorf("%d MiB were allocated", allocated>>20)
	}
}

// TestPeersSafetyLinks checks that nothing outside the share is read, listed, written
// or removed through a symbolic link.
func TestPeersSafetyLinks(t *testing.T) {
	const secret = "secret"
	for _, c := range []struct {
		name     string
		requests func(s *share)
	}{
		{"GET", func(s *share) {
			s.wants(404, "GET", "/l/dir/file")
			s.wants(404, "GET", "/l/dir/")
			s.wants(404, "GET", "/l/file")
			s.wants(404, "HEAD", "/l/file")
		}},
		{"PUT", func(s *share) {
			for _, target := range []string{"/l/dir/file", "/l/dir/new", "/l/file", "/l/dir"} {
				if a := s.send("PUT", target, "written"); a.status != 403 && a.status != 409 {
					s.Errorf("PUT %s is %d", target, a.status)
				}
			}
		}},
		{"MKCOL", func(s *share) {
			for _, target := range []string{"/l/dir/new/", "/l/dir/"} {
				if a := s.do("MKCOL", target); a.status/100 != 4 {
					s.Errorf("MKCOL %s is %d", target, a.status)
				}
			}
		}},
		{"PROPFIND infinity", func(s *share) {
			if a := s.do("PROPFIND", "/", "Depth: infinity"); strings.Contains(a.body, secret) || strings.Contains(a.body, "dir/file") {
				s.Errorf("%s", a.body)
			}
		}},
		{"DELETE of the collection that holds it", func(s *share) { s.wants(204, "DELETE", "/l/") }},
		{"DELETE of what is behind it", func(s *share) { s.wants(404, "DELETE", "/l/dir/file") }},
		{"COPY of the collection that holds it", func(s *share) {
			s.do("COPY", "/l/", "Destination: /new/")
			for _, target := range []string{"/new/dir/file", "/new/file"} {
				if a := s.do("GET", target); a.status != 404 {
					s.Errorf("GET %s is %d: %s", target, a.status, a.body)
				}
			}
		}},
		{"COPY onto it", func(s *share) { s.do("COPY", "/f", "Destination: /l/file") }},
		{"COPY into it", func(s *share) { s.wants(409, "COPY", "/f", "Destination: /l/dir/new") }},
		{"MOVE onto it", func(s *share) { s.do("MOVE", "/f", "Destination: /l/dir") }},
		{"MOVE from behind it", func(s *share) { s.wants(404, "MOVE", "/l/dir/file", "Destination: /new") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveLocal(t, &dav.Handler{}, garden().with(layout{"/l/": ""}))
			outside := t.TempDir()
			file := filepath.Join(outside, "file")
			if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
				t.Fatal(err)
			}
			for name, target := range map[string]string{"dir": outside, "file": file} {
				if err := os.Symlink(target, filepath.Join(s.dir, "l", name)); err != nil {
					t.Fatal(err)
				}
			}
			c.requests(s)
			content, err := os.ReadFile(file)
			members, listErr := os.ReadDir(outside)
			if err != nil || listErr != nil || string(content) != secret || len(members) != 1 {
				t.Errorf("outside there is %q in %v: %v, %v", content, members, err, listErr)
			}
		})
	}
}

// killedShare is the environment variable for the process that TestPeersSafetyKill
// kills.
const killedShare = "DAVD_TEST_KILLED_SHARE"

// TestPeersSafetyKill kills the server during a PUT with SIGKILL. The old content must
// still exist, and on Linux nothing more.
func TestPeersSafetyKill(t *testing.T) {
	if dir := os.Getenv(killedShare); dir != "" {
		serveUntilKilled(t, dir)
		return
	}
	_, dir := openLocal(t)
	if err := os.WriteFile(filepath.Join(dir, "old"), []byte("old content"), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPeersSafetyKill$")
	child.Env = append(os.Environ(), killedShare+"="+dir)
	if _, err := child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var address string
	if _, err := fmt.Fscanln(out, &address); err != nil {
		t.Fatal(err)
	}
	s := &share{TB: t, server: &httptest.Server{Listener: elsewhere(address)}}
	for _, target := range []string{"/old", "/new"} {
		connection := s.dial()
		connection.write("PUT " + target + " HTTP/1.1\nExpect: 100-continue\nContent-Length: 1000000\n\n")
		if got := connection.status(); got != 100 {
			t.Fatalf("%d, want 100", got)
		}
		connection.write(strings.Repeat("half", 125_000))
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if content, err := os.ReadFile(filepath.Join(dir, "old")); err != nil || string(content) != "old content" {
		t.Errorf("%.40q, %v", content, err)
	}
	members, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range members {
		if member.Name() != "old" && (runtime.GOOS == "linux" || !strings.HasPrefix(member.Name(), ".davd-")) {
			t.Errorf("%s is left", member.Name())
		}
	}
}

// serveUntilKilled serves dir, prints the address, and runs until the parent ends.
func serveUntilKilled(t *testing.T, dir string) {
	t.Helper()
	fsys, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&dav.Handler{FileSystem: fsys})
	fmt.Println(server.Listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// elsewhere is a listener in another process.
type elsewhere string

func (e elsewhere) Network() string { return "tcp" }
func (e elsewhere) String() string  { return string(e) }
func (e elsewhere) Addr() net.Addr  { return e }

func (e elsewhere) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (e elsewhere) Close() error              { return nil }

//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// TestFewFiles allows the process to open 64 files and sends 300 COPY requests at the same
// time. Each is done or refused with a 503 that asks for another try, and each answer is
// true. A hundred idle connections keep no client out.
func TestFewFiles(t *testing.T) {
	const copies, idle = 300, 100
	dir := t.TempDir()
	for i := range 30 {
		name := filepath.Join(dir, "source", fmt.Sprint("c", i%3), fmt.Sprint("f", i))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte("content"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	davd := start(t, exec.CommandContext(t.Context(), "sh", "-c", `ulimit -n 64 && exec davd serve "$@"`, "sh",
		"--addr", "127.0.0.1:0", "--state", t.TempDir(), "--log-level", "error", dir))
	for range idle {
		conn, err := net.Dial("tcp", davd.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	status := func(method, target string, fields ...string) int {
		status, _, err := davd.send(method, target, "", fields...)
		if err != nil {
			t.Error(err)
		}
		return status
	}
	var wg sync.WaitGroup
	got := make([]int, copies)
	for i := range copies {
		wg.Go(func() {
			got[i] = status("COPY", "/source", fmt.Sprint("Destination: ", davd.url, "/copy", i))
		})
	}
	wg.Wait()
	done := 0
	for i, code := range got {
		files, _ := filepath.Glob(filepath.Join(dir, fmt.Sprint("copy", i), "*", "*"))
		switch {
		case code == http.StatusCreated && len(files) == 30:
			done++
		case code == http.StatusServiceUnavailable && len(files) == 0:
		default:
			t.Errorf("COPY %d: %d, and %d of 30 files", i, code, len(files))
		}
	}
	if done == 0 {
		t.Error("none was done")
	}
	t.Logf("%d of %d were done", done, copies)
	if code := status(http.MethodGet, "/source/c0/f0"); code != http.StatusOK {
		t.Errorf("a GET afterwards: %d", code)
	}
}

// TestFewFilesForUsers: with 256 files, many users have their directories.
func TestFewFilesForUsers(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "davd.yaml")
	err := errors.Join(os.Mkdir(filepath.Join(dir, "home"), 0o755), os.WriteFile(config, []byte(`
trusted-proxy: 127.0.0.1
user-header: {name: X-User}
shares:
  "/home/{user}": {dir: "home/{user}", create: true}
  "/more/{user}": {dir: "home/{user}", id: more, create: true}
`), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	davd := start(t, exec.CommandContext(t.Context(), "sh", "-c", `ulimit -n 256 && exec davd serve "$@"`, "sh",
		"--addr", "127.0.0.1:0", "--state", t.TempDir(), "--log-level", "error", "--config", config))
	for i := range 300 {
		user := fmt.Sprint("user", i)
		for _, share := range []string{"/home/", "/more/"} {
			status, _, err := davd.send("PUT", share+user+"/file", "x", "X-User: "+user)
			if err != nil || status >= http.StatusBadRequest {
				t.Fatalf("%s: %d, %v", user, status, err)
			}
		}
	}
}

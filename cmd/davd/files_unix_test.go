//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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
	base := startLimited(t, "64", dir)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: copies}}
	defer client.CloseIdleConnections()
	for range idle {
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	got := make([]int, copies)
	for i := range copies {
		wg.Go(func() { got[i] = status(t, client, "COPY", base+"/source", fmt.Sprint(base, "/copy", i)) })
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
	if code := status(t, client, http.MethodGet, base+"/source/c0/f0", ""); code != http.StatusOK {
		t.Errorf("a GET afterwards: %d", code)
	}
}

// status sends a request and returns the status. A 503 must have a Retry-After header.
func status(t *testing.T, client *http.Client, method, url, destination string) int {
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	if destination != "" {
		r.Header.Set("Destination", destination)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
		t.Errorf("%s: 503 without Retry-After", method)
	}
	return response.StatusCode
}

// startLimited starts a davd that may open this number of files, and returns its address.
func startLimited(t *testing.T, files, dir string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	davd := exec.CommandContext(ctx, "sh", "-c", `ulimit -n "$1" && shift && exec davd serve "$@"`, "sh", files,
		"--addr", "127.0.0.1:0", "--state", t.TempDir(), "--log-level", "error", dir)
	davd.Stderr = os.Stderr
	stdout, err := davd.StdoutPipe()
	if err == nil {
		err = davd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = davd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	base := regexp.MustCompile(`http://[^/\s]+`).FindString(line)
	if base == "" {
		t.Fatalf("davd says %q: %v", line, err)
	}
	return base
}

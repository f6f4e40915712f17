package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// costs are the configurations that TestCost compares: flags of davd serve, and CONFIG for a
// configuration file with shares, users and rights.
var costs = []struct{ name, flags string }{
	{"nothing", "--log-level error DIR"},
	{"log", "DIR"},
	{"users", "--log-level error --htpasswd USERS DIR"},
	{"shares and rights", "--log-level error --config CONFIG"},
	{"TLS", "--log-level error --tls-cert CERT --tls-key KEY DIR"},
	{"metrics", "--log-level error --metrics-addr 127.0.0.1:0 DIR"},
	{"all", "--config CONFIG --tls-cert CERT --tls-key KEY --metrics-addr 127.0.0.1:0"},
}

// TestCost prints the table in docs/speed.md: what each part costs in a GET of 1 KiB.
func TestCost(t *testing.T) {
	if os.Getenv("DAVD_COST") == "" {
		t.Skip("it takes a minute: set DAVD_COST=1 and -v")
	}
	t.Setenv("DAVD_STATE", "mem")
	dir := t.TempDir()
	content := filepath.Join(dir, "files")
	for name, text := range map[string]string{
		"files/a.txt": strings.Repeat("x", 1024), "users": "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n",
		"davd.yaml": "users:\n  ann: {password: \"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\", groups: [staff]}\nshares:\n  /docs:\n    dir: files\n    rights: {staff: write}\n    paths:\n      /private: {staff: none, ann: write}\n",
	} {
		if err := os.MkdirAll(content, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, key := selfSigned(t)
	fmt.Printf("| davd with | requests/s | allocations | bytes | system calls |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range costs {
		path := "/a.txt"
		if strings.Contains(c.flags, "CONFIG") {
			path = "/docs/a.txt"
		}
		args := strings.Fields(strings.NewReplacer("DIR", content, "USERS", filepath.Join(dir, "users"), "CONFIG", filepath.Join(dir, "davd.yaml"),
			"CERT", cert, "KEY", key).Replace(c.flags))
		args = append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)
		rate, mallocs, size := costHere(t, args, path)
		calls := costOfCalls(t, args, path)
		fmt.Printf("| %s | %.0f | %.1f | %.0f | %.2f |\n", c.name, rate, mallocs, size, calls)
	}
}

// costHere runs davd in this process, whose client allocates nothing.
func costHere(t *testing.T, args []string, path string) (rate, mallocs, size float64) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan int)
	go func() { ended <- run(ctx, append([]string{"davd"}, args...), in, log) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	c := costClient(t, line, path)
	c.get(t, 2000)
	const n = 20_000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	c.get(t, n)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	_ = c.conn.Close()
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("davd ended with %d", code)
	}
	_ = log.Close()
	return n / took.Seconds(), float64(after.Mallocs-before.Mallocs) / n, float64(after.TotalAlloc-before.TotalAlloc) / n
}

// schedules matches the calls with which the Go runtime schedules goroutines and memory. Their
// number depends on what else the machine does, as that of reads that find nothing yet (EAGAIN).
var schedules = regexp.MustCompile(`\b(futex|sched_yield|nanosleep|madvise|epoll_\w+|rt_sig\w+|tgkill|getpid|restart_syscall|mmap|munmap|clone3?|gettid|sigaltstack|mprotect|prctl|rseq|set_robust_list|sched_getaffinity)(\(| resumed)|"\\1\\0\\0\\0\\0\\0\\0\\0", 8\)`)

// costOfCalls runs davd in a process of its own, under strace.
func costOfCalls(t *testing.T, args []string, path string) float64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "davd", args...)
	cmd.Stderr = io.Discard
	p := start(t, cmd)
	c := costClient(t, p.url+"/\n", path)
	c.get(t, 100)
	file := filepath.Join(t.TempDir(), "calls")
	trace := exec.CommandContext(t.Context(), "strace", "-f", "-o", file, "-p", strconv.Itoa(p.cmd.Process.Pid))
	if err := trace.Start(); err != nil {
		t.Skip(err)
	}
	for attached := false; !attached; {
		c.get(t, 1)
		content, err := os.ReadFile(file)
		attached = err == nil && bytes.Contains(content, []byte("write("))
	}
	before, _ := os.ReadFile(file)
	const n = 500
	c.get(t, n)
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_ = trace.Process.Signal(syscall.SIGINT)
	_ = trace.Wait()
	_ = c.conn.Close()
	calls := 0
	for line := range strings.Lines(string(after[len(before):])) {
		if strings.Contains(line, ") ") && !strings.Contains(line, "unfinished") && !strings.Contains(line, "EAGAIN") && !schedules.MatchString(line) {
			calls++
		}
	}
	return float64(calls) / n
}

// costly sends the same request again and again, and gets answers of the same length.
type costly struct {
	conn            net.Conn
	request, answer []byte
}

// costClient connects to the URL in a line of davd's output.
func costClient(t *testing.T, line, path string) *costly {
	t.Helper()
	found := regexp.MustCompile(`(https?)://([0-9.:]+)/`).FindStringSubmatch(line)
	if found == nil {
		t.Fatalf("davd says %q", line)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", found[2])
	if err != nil {
		t.Fatal(err)
	}
	if found[1] == "https" {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	c := &costly{conn: conn, request: []byte("GET " + path + " HTTP/1.1\r\nHost: " + found[2] + "\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\n\r\n")}
	if _, err := conn.Write(c.request); err != nil {
		t.Fatal(err)
	}
	var seen bytes.Buffer
	response, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &seen)), nil)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%+v, error %v", response, err)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	c.answer = make([]byte, seen.Len())
	return c
}

// get sends the request n times, one after the other.
func (c *costly) get(t *testing.T, n int) {
	t.Helper()
	for range n {
		if _, err := c.conn.Write(c.request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c.conn, c.answer); err != nil {
			t.Fatal(err)
		}
	}
}

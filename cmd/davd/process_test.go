package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// process is a davd that runs in a separate process, so that a test can measure its memory,
// limit its files or send it signals.
type process struct {
	*testing.T
	cmd     *exec.Cmd
	client  *http.Client
	stdout  io.Closer
	output  *bufio.Reader // the rest of stdout
	url     string        // without a slash at the end
	address string
}

// startDavd starts davd serve with these arguments, at a free port of this machine.
func startDavd(t *testing.T, args ...string) *process {
	t.Helper()
	return start(t, exec.CommandContext(t.Context(), "davd", append([]string{"serve", "--addr", "127.0.0.1:0", "--log-level", "error"}, args...)...))
}

// start starts a command that runs davd serve, and waits until davd listens. It kills the
// command when the test ends.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	output := bufio.NewReader(stdout)
	line, err := output.ReadString('\n')
	found := regexp.MustCompile(`https?://([0-9.:]+)/`).FindStringSubmatch(line)
	if found == nil {
		t.Fatalf("davd says %q: %v", line, err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 300}
	t.Cleanup(transport.CloseIdleConnections)
	return &process{T: t, cmd: cmd, client: &http.Client{Transport: transport}, stdout: stdout, output: output, url: strings.TrimSuffix(found[0], "/"), address: found[1]}
}

// send sends a request with fields of the form "Name: value". It returns the status of the
// answer and the length of its body. A 503 must have a Retry-After header.
func (p *process) send(method, target, body string, fields ...string) (status int, length int64, err error) {
	r, err := http.NewRequestWithContext(p.Context(), method, p.url+target, strings.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	response, err := p.client.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
		p.Errorf("%s: 503 without Retry-After", method)
	}
	length, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, length, err
}

// memory returns a size from the status of the process on Linux, in MiB: "VmRSS" is the
// resident memory, and "VmHWM" its peak.
func (p *process) memory(field string) int {
	p.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), field+":")
	size, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, err := strconv.Atoi(size)
	if err != nil {
		p.Fatalf("%s of %s: %v", field, status, err)
	}
	return kib >> 10
}

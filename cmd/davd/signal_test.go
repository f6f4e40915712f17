package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"syscall"
	"testing"
)

// TestSecondSignal sends two signals during an upload that never ends.
func TestSecondSignal(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "davd", "serve", "--storage", "mem", "--addr", "127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	davd := start(t, cmd)
	log := bufio.NewScanner(stderr)
	await := func(pattern string) {
		t.Helper()
		for log.Scan() {
			if regexp.MustCompile(pattern).MatchString(log.Text()) {
				return
			}
		}
		t.Fatalf("the log ended without %s", pattern)
	}
	signal := func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}

	conn, err := net.Dial("tcp", davd.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PUT /x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// The upload is running when davd asks for its body.
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusContinue {
		t.Fatal(response, err)
	}
	defer response.Body.Close()
	signal()
	await(`msg=stopping`)
	signal()
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitInterrupted {
		t.Errorf("davd ended with %v", err)
	}
}

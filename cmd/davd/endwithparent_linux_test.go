package main

import (
	"bufio"
	"io"
	"log"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// endWithParent makes the kernel end this davd when the test that started it has ended,
// even by a signal or a time-out, which run no cleanup.
func endWithParent() {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		log.Fatal("davd can't be made to end with its test: ", err)
	}
}

// TestEndWithParent kills the parent of a davd. Then davd closes its output.
func TestEndWithParent(t *testing.T) {
	output, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	defer write.Close()
	parent := exec.CommandContext(t.Context(), "sh", "-c", `davd serve --storage mem --addr "unix:$1/s.sock" & wait`, "sh", t.TempDir())
	parent.Stdout = write
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	lines := bufio.NewReader(output)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	if err := output.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Errorf("davd runs 10 s after its parent was killed: %v", err)
	}
}

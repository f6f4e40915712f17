package main

import (
	"io"
	"log"
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
	davd := start(t, exec.CommandContext(t.Context(), "sh", "-c", `davd serve --storage mem --addr 127.0.0.1:0 & wait`))
	_ = davd.cmd.Process.Kill() // the parent
	time.AfterFunc(2*time.Minute, func() { _ = davd.stdout.Close() })
	if _, err := io.Copy(io.Discard, davd.output); err != nil {
		t.Errorf("davd runs 2 minutes after its parent was killed: %v", err)
	}
}

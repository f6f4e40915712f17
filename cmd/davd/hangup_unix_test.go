//go:build unix

package main

import (
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestHangup sends HUP at moments at which it must not end davd: while davd starts, and to a
// proxy, which has no configuration to read again.
func TestHangup(t *testing.T) {
	for name, args := range map[string][]string{
		"serve": {"serve", "--storage", "mem", "--addr", "127.0.0.1:0"},
		"proxy": {"proxy", "--addr", "127.0.0.1:0", "http://127.0.0.1:1/"},
	} {
		t.Run(name, func(t *testing.T) {
			davd := start(t, exec.CommandContext(t.Context(), "davd", args...))
			for range 3 {
				if err := davd.cmd.Process.Signal(syscall.SIGHUP); err != nil {
					t.Fatal(err)
				}
				time.Sleep(20 * time.Millisecond)
			}
			if err := davd.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := davd.cmd.Wait(); err != nil {
				t.Errorf("davd ended with %v", err)
			}
		})
	}
}

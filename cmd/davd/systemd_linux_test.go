package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSystemd starts davd as systemd does: with a listening socket, a socket for messages and a
// watchdog. The socket takes the place of the default address.
func TestSystemd(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o600))
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	passed, err := l.File()
	must(t, err)
	must(t, l.Close())
	messages, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	must(t, err)
	defer messages.Close()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `LISTEN_PID=$$ WATCHDOG_PID=$$ exec davd serve --state mem "$0"`, dir)
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "NOTIFY_SOCKET="+messages.LocalAddr().String(), "WATCHDOG_USEC=200000")
	cmd.ExtraFiles = []*os.File{passed}
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	must(t, passed.Close())
	wants := func(message string) {
		t.Helper()
		buffer := make([]byte, 4096)
		must(t, messages.SetReadDeadline(time.Now().Add(patience)))
		for {
			n, err := messages.Read(buffer)
			if err != nil {
				t.Fatalf("no %s: %v", message, err)
			}
			if strings.HasPrefix(string(buffer[:n]), message) {
				return
			}
		}
	}
	wants("READY=1")
	answer, err := http.Get("http://" + l.Addr().String() + "/f")
	must(t, err)
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || string(body) != "content" {
		t.Errorf("%s %q, %v", answer.Status, body, err)
	}
	wants("WATCHDOG=1")
	wants("WATCHDOG=1")
	must(t, cmd.Process.Signal(syscall.SIGHUP))
	wants("RELOADING=1\nMONOTONIC_USEC=")
	wants("READY=1")
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	wants("STOPPING=1")
	must(t, cmd.Wait())
}

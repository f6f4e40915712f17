package litmus

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The longest times that davd may take to start and to end. It gives running requests ten seconds
// to finish.
const (
	startTimeout = 2 * time.Minute
	stopTimeout  = 2 * time.Minute
)

// davdProcessors makes davd use two processors, so that it walks trees at the same pace on every
// machine.
const davdProcessors = "GOMAXPROCS=2"

// A server is a running davd.
type server struct {
	url  string // without the slash at the end
	log  *transcript
	stop func() // waits until it has ended; may be called more than once
}

var servingLine = regexp.MustCompile(`(?m)^davd: serving .* at (https?://\S+)/$`)

// serve runs davd serve with args on a free port until the test ends.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	if !slices.Contains(args, "mem") { // mem keeps the state in memory
		args = append([]string{"--state", t.TempDir()}, args...)
	}
	return startDavd(t, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
}

// startDavd runs davd with args until the test ends. davd must exit cleanly.
func startDavd(t *testing.T, args ...string) *server {
	t.Helper()
	if err := readSources(); err != nil {
		t.Fatal(err)
	}
	stdout, log := newTranscript(), newTranscript()
	cmd := exec.Command(davdBinary, args...)
	cmd.Stdout, cmd.Stderr = stdout, log
	// Ignore settings in the environment of the developer.
	cmd.Env = append(withoutPrefix(os.Environ(), "DAVD_"), davdProcessors)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		cancel() // davd has ended, so it will never listen
	}()
	s := &server{log: log}
	s.stop = sync.OnceFunc(func() { stopServer(t, cmd, ended) })
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("davd %s\n%s%s", strings.Join(args, " "), stdout, log)
		}
	})
	match, err := stdout.await(ctx, servingLine)
	if err != nil {
		t.Fatalf("davd did not listen: %v", err)
	}
	s.url = match[1]
	return s
}

// readSources looks at the source files of davd. The go command notices that, and does not reuse
// cached test results of an older davd.
var readSources = sync.OnceValue(func() error {
	for _, dir := range []string{"../cmd", "../dav", "../storage"} {
		err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				_, err = os.Stat(name)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	_, err := os.Stat("../go.mod")
	return err
})

func stopServer(t *testing.T, cmd *exec.Cmd, ended <-chan error) {
	t.Helper()
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("davd ended with %v", err)
		}
	case <-timer.C:
		_ = cmd.Process.Kill()
		t.Errorf("davd did not end within %v of SIGTERM: %v", stopTimeout, <-ended)
	}
}

func withoutPrefix(env []string, prefix string) []string {
	var rest []string
	for _, entry := range env {
		if !strings.HasPrefix(entry, prefix) {
			rest = append(rest, entry)
		}
	}
	return rest
}

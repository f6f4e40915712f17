package kill

import (
	"bytes"
	"fmt"
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

// patience is the longest time that davd may take for anything.
const patience = 3 * time.Minute

// A site is a share, the state that belongs to it, and the davd that serves it now.
type site struct {
	share, state string
	flags        []string
	watch        *watch // nil if there is no watch

	cmd    *exec.Cmd
	ended  chan struct{}
	url    string // without the slash at the end
	output *output
}

var servingLine = regexp.MustCompile(`(?m)^davd: serving .* at (https?://\S+)/$`)

// begin starts davd, but does not wait until it is ready.
func (s *site) begin() error {
	args := slices.Concat([]string{"serve", "--addr", "127.0.0.1:0", "--interim", "never", "--log-level", "warn", "--state", s.state}, s.flags, []string{s.share})
	s.cmd = exec.Command(davdBinary, args...)
	s.output = &output{changed: make(chan struct{}, 1)}
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "DAVD_") })
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.watch.follow(s.cmd.Process.Pid)
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // It is killed, or its output says why it has ended.
		close(ended)
	}(s.cmd, s.ended)
	return nil
}

// ready waits until davd serves.
func (s *site) ready() error {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		if match := servingLine.FindStringSubmatch(s.output.String()); match != nil {
			s.url = match[1]
			return nil
		}
		select {
		case <-s.output.changed:
		case <-s.ended:
			return fmt.Errorf("davd did not start:\n%s", s.output)
		case <-timeout.C:
			return fmt.Errorf("davd was not ready after %v:\n%s", patience, s.output)
		}
	}
}

func (s *site) start() error {
	if err := s.begin(); err != nil {
		return err
	}
	return s.ready()
}

// kill kills davd and waits until its process has ended.
func (s *site) kill() {
	_ = s.cmd.Process.Kill() // It may have ended already, which a test notices elsewhere.
	<-s.ended
}

// stop asks davd to end. davd must exit cleanly.
func (s *site) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("davd has ended already: %w\n%s", err, s.output)
	}
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.kill()
		return fmt.Errorf("davd did not end within %v of SIGTERM", patience)
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("davd ended with status %d:\n%s", code, s.output)
	}
	return nil
}

// output is the output of davd.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.changed <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

// String returns the end of the output, which may be long.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.text.Bytes()
	return string(text[max(0, len(text)-16<<10):])
}

// newSite returns the site in dir.
func newSite(t *testing.T, dir string, flags ...string) *site {
	t.Helper()
	s := &site{share: filepath.Join(dir, "share"), state: filepath.Join(dir, "state"), flags: flags}
	if err := os.MkdirAll(s.share, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd != nil {
			s.kill()
		}
	})
	return s
}

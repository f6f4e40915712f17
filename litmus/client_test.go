package litmus

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// clientTimeout is the longest that a client may run.
const clientTimeout = 5 * time.Minute

// A client is a program to run.
type client struct {
	name  string
	args  []string
	dir   string
	stdin string
	home  string // HOME, so that the program doesn't use the settings of the developer
}

// A clientRun is the result of a client.
type clientRun struct {
	stdout, stderr string
	failed         bool // its exit status is not 0
	took           time.Duration
}

// run runs c until it ends. The test fails if c can't be started or does not end, but not if c
// itself fails.
func (c client) run(t *testing.T) clientRun {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), clientTimeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.name, c.args...)
	cmd.Dir = c.dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.stdin), &stdout, &stderr
	cmd.Env = append(withoutPrefix(withoutPrefix(os.Environ(), "LC_"), "HOME="), "LC_ALL=C.UTF-8", "HOME="+c.home)
	cmd.WaitDelay = 5 * time.Second
	start := time.Now()
	err := cmd.Run()
	run := clientRun{stdout: stdout.String(), stderr: stderr.String(), failed: err != nil, took: time.Since(start)}
	var status *exec.ExitError
	if ctx.Err() != nil || (err != nil && !errors.As(err, &status)) {
		t.Fatalf("%s %s: %v (%v)\n%s%s", c.name, strings.Join(c.args, " "), err, ctx.Err(), run.stdout, run.stderr)
	}
	return run
}

// mustRun runs c, which must succeed.
func (c client) mustRun(t *testing.T) clientRun {
	t.Helper()
	run := c.run(t)
	if run.failed {
		t.Fatalf("%s %s failed\n%s%s", c.name, strings.Join(c.args, " "), run.stdout, run.stderr)
	}
	return run
}

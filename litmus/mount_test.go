package litmus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// mountTimeout is the longest time that mount and umount may take. umount waits until davfs2 has
// uploaded the remaining files.
const mountTimeout = 2 * time.Minute

// mountPermitted returns an error if this process can't mount filesystems.
var mountPermitted = sync.OnceValue(func() error {
	if os.Getuid() != 0 {
		return errors.New("mounting needs root")
	}
	dir, err := os.MkdirTemp("", "davd-mount-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	if err := mount("tmpfs", "size=64k", "tmpfs", dir); err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return fmt.Errorf("mounting is not permitted: %s", reason)
	}
	return unmount(dir)
})

// mountTmpfs creates dir and mounts a small filesystem there until the test ends.
func mountTmpfs(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := mount("tmpfs", "size=16m,mode=755", "tmpfs", dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Error(err)
		}
	})
}

func mount(kind, options, what, where string) error {
	return mounting("mount", "-t", kind, "-o", options, what, where)
}

// unmount unmounts where. If that fails, it detaches where immediately, and the kernel unmounts it
// later.
func unmount(where string) error {
	err := mounting("umount", where)
	if err == nil {
		return nil
	}
	// -i skips the umount program of davfs2, which has just failed.
	return errors.Join(err, mounting("umount", "-i", "-l", where))
}

func mounting(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), mountTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	out := newTranscript()
	// The process of davfs2 survives its mount program and keeps the output open.
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(out.String()))
	}
	return nil
}

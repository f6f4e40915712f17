package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sandbox runs this program again, as the first process in new PID and mount namespaces. However
// that process ends, the kernel then kills its children, and removes its mounts and its loop
// device.
func sandbox(ctx context.Context, o *options) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can use a loop device: run it as root, or name a directory with -dir, on a tmpfs or an otherwise unused disk")
	}
	if err := enoughMemory(roomFor(o.works())); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "davd-bench-")
	if err != nil {
		return err
	}
	defer os.Remove(dir) // a mount point, which is empty in this namespace
	self, err := os.Executable()
	if err != nil {
		return err
	}
	inside := exec.CommandContext(ctx, self, append([]string{"-" + sandboxFlag, dir}, os.Args[1:]...)...) //nolint:gosec // this program
	inside.Stdin, inside.Stdout, inside.Stderr = os.Stdin, os.Stdout, os.Stderr
	inside.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   unix.CLONE_NEWPID,
		Unshareflags: unix.CLONE_NEWNS, // Go then makes all mounts private
		Pdeathsig:    syscall.SIGKILL,
	}
	inside.Cancel = func() error { return inside.Process.Signal(syscall.SIGTERM) }
	inside.WaitDelay = time.Minute
	err = inside.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
		return &statusError{exit.ExitCode()}
	}
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("root can't create namespaces on this machine (%w): name a directory with -dir, on a tmpfs or an otherwise unused disk", err)
	}
	return err
}

// enoughMemory returns an error if there is too little memory for the tmpfs, the servers and this
// program.
func enoughMemory(need room) error {
	bytes := need.bytes + 1<<30
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, "MemAvailable:")
		if !ok {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		if err == nil && kib<<10 < bytes {
			err = fmt.Errorf("this needs up to %d GiB of memory, and %.1f are available: free some, or name a directory with -dir", bytes>>30, float64(kib)/(1<<20))
		}
		return err
	}
	return nil
}

// benchInSandbox measures on a new filesystem at dir.
func benchInSandbox(ctx context.Context, o *options, dir string) (err error) {
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	need := roomFor(o.works())
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=755", need.bytes+256<<20)); err != nil {
		return fmt.Errorf("mount a tmpfs at %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, unix.Unmount(dir, unix.MNT_DETACH)) }()
	data := filepath.Join(dir, "data")
	if err := mountImage(ctx, filepath.Join(dir, "image"), data, need); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Unmount(data, unix.MNT_DETACH)) }()
	p, err := placeAt(data)
	if err != nil {
		return err
	}
	p.about = "ext4 on a loop device over a tmpfs"
	return measure(ctx, o, p)
}

// mountImage makes a filesystem in the new file image and mounts it at dir.
func mountImage(ctx context.Context, image, dir string, need room) error {
	file, err := os.OpenFile(image, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Truncate(need.bytes), file.Close(), os.Mkdir(dir, 0o750)); err != nil {
		return err
	}
	// Initialize everything now. Otherwise the kernel would do it during the measurement.
	const now = "lazy_itable_init=0,lazy_journal_init=0,nodiscard"
	if _, err := output(ctx, "mkfs.ext4", "-q", "-F", "-m", "0", "-N", strconv.FormatInt(need.inodes, 10), "-E", now, image); err != nil {
		return err
	}
	if _, err := output(ctx, "mount", "-o", "loop", image, dir); err != nil {
		return fmt.Errorf("%w: if this machine has no loop devices, name a directory with -dir", err)
	}
	return os.RemoveAll(filepath.Join(dir, "lost+found"))
}

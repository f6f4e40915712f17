package litmus

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inNamespace is an environment variable that is set in a separate mount namespace.
const inNamespace = "DAVD_TEST_MOUNT_NAMESPACE"

// runs is where programs such as davfs2 keep run-time files.
const runs = "/run"

// runApart runs the tests again in a separate mount namespace. There, other processes don't see
// the mounts, and programs don't write to directories of the machine. Only root may do that.
func runApart(m *testing.M) (code int, ok bool) {
	if os.Geteuid() != 0 || strings.HasPrefix(os.TempDir(), runs+"/") {
		return 0, false
	}
	if os.Getenv(inNamespace) != "" {
		return runThere(m)
	}
	self, err := os.Executable()
	if err != nil {
		return 0, false
	}
	scratch, err := os.MkdirTemp("", "davd-litmus-")
	if err != nil {
		return 0, false
	}
	defer os.RemoveAll(scratch)
	tests := exec.Command(self, os.Args[1:]...)
	tests.Stdin, tests.Stdout, tests.Stderr = os.Stdin, os.Stdout, os.Stderr
	tests.Env = append(os.Environ(), inNamespace+"="+scratch)
	tests.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGTERM}
	err = tests.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return 0, false // Mount namespaces are not permitted.
	}
	return tests.ProcessState.ExitCode(), true
}

// runThere runs the tests in the namespace. Their scratch directory is mounted where other users,
// such as davfs2, can reach it as well.
func runThere(m *testing.M) (code int, ok bool) {
	scratch := filepath.Join(runs, "davd-litmus")
	err := unix.Mount("tmpfs", runs, "tmpfs", 0, "mode=755")
	if err == nil {
		err = os.Mkdir(scratch, 0o755)
	}
	if err == nil {
		err = errors.Join(os.Chmod(os.Getenv(inNamespace), 0o755), unix.Mount(os.Getenv(inNamespace), scratch, "", unix.MS_BIND, ""))
	}
	if err == nil {
		err = os.Setenv("TMPDIR", scratch)
	}
	if err != nil {
		return 0, false // The tests themselves report what is not permitted.
	}
	return run(m), true
}

// ownTmp makes c run with its own empty /tmp. The program writes there whatever TMPDIR is.
func (c client) ownTmp() client {
	if os.Getenv(inNamespace) == "" {
		return c
	}
	c.args = append([]string{"-m", "sh", "-c", `mount -t tmpfs tmpfs /tmp && exec "$0" "$@"`, c.name}, c.args...)
	c.name = "unshare"
	return c
}

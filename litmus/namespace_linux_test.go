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

// inNamespace says that this process has a mount namespace of its own.
const inNamespace = "DAVD_TEST_MOUNT_NAMESPACE"

// runs are where programs keep what is only about running, davfs2 for example.
const runs = "/run"

// runApart runs the tests again where nobody else sees what they mount, and where
// programs write to no directory of the machine. Only root may do that.
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
		return 0, false // A mount namespace is not permitted.
	}
	return tests.ProcessState.ExitCode(), true
}

// runThere runs the tests in the namespace. Their scratch folder is mounted where
// other users, such as davfs2's, reach it too.
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
		return 0, false // The tests say themselves what is not permitted.
	}
	return run(m), true
}

// ownTmp has c run with an empty /tmp of its own, where it writes whatever TMPDIR says.
func (c client) ownTmp() client {
	if os.Getenv(inNamespace) == "" {
		return c
	}
	c.args = append([]string{"-m", "sh", "-c", `mount -t tmpfs tmpfs /tmp && exec "$0" "$@"`, c.name}, c.args...)
	c.name = "unshare"
	return c
}

package cluster

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// apart is an environment variable that is set in the namespaces of the tests. It has the name
// of their scratch directory, with the program under test.
const apart = "DAVD_TEST_APART"

// davdBinary is the program under test. It is "" for users other than root.
var davdBinary string

// TestMain runs the tests in network and mount namespaces of their own, so that no packet
// reaches this machine or another one.
func TestMain(m *testing.M) {
	flag.Parse()
	switch {
	case os.Getenv(apart) != "":
		davdBinary = filepath.Join(os.Getenv(apart), "davd")
		os.Exit(m.Run())
	case os.Geteuid() != 0 || flag.Lookup("test.list").Value.String() != "":
		os.Exit(m.Run())
	}
	code, err := runApart()
	if err != nil {
		fmt.Fprintf(os.Stderr, "cluster: %v\n", err)
		code = 1
	}
	os.Exit(code)
}

func runApart() (code int, err error) {
	dir, err := os.MkdirTemp("", "davd-cluster-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL runs as another user
		return 0, err
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "davd"), "github.com/davd/davd/cmd/davd").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	tests := exec.Command(self, os.Args[1:]...)
	tests.Stdin, tests.Stdout, tests.Stderr = os.Stdin, os.Stdout, os.Stderr
	tests.Env = append(os.Environ(), apart+"="+dir, "TMPDIR="+dir)
	tests.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err = tests.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return 0, fmt.Errorf("this machine does not permit namespaces: %w", err)
	}
	return tests.ProcessState.ExitCode(), nil
}

// needNamespaces skips a test that needs the namespaces if the user is not root.
func needNamespaces(t *testing.T) {
	t.Helper()
	if davdBinary == "" {
		t.Skip("only root can make network namespaces")
	}
}

package kill

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

// davdBinary is the program under test. TestMain builds it.
var davdBinary string

// inNamespace is an environment variable that is set in a separate mount namespace.
const inNamespace = "DAVD_TEST_MOUNT_NAMESPACE"

// TestMain runs the tests, if possible in a separate mount namespace.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run())
	}
	if os.Geteuid() == 0 && os.Getenv(inNamespace) == "" {
		if code, ok := runApart(); ok {
			os.Exit(code)
		}
	}
	os.Exit(run(m))
}

// runApart runs the tests again in a separate mount namespace, if that is permitted.
func runApart() (code int, ok bool) {
	self, err := os.Executable()
	if err != nil {
		return 0, false
	}
	tests := exec.Command(self, os.Args[1:]...)
	tests.Stdin, tests.Stdout, tests.Stderr = os.Stdin, os.Stdout, os.Stderr
	tests.Env = append(os.Environ(), inNamespace+"=1")
	tests.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGTERM}
	err = tests.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return 0, false
	}
	return tests.ProcessState.ExitCode(), true
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "davd-kill-")
	if err == nil {
		defer os.RemoveAll(dir)
		davdBinary = filepath.Join(dir, "davd")
		var out []byte
		out, err = exec.Command("go", "build", "-o", davdBinary, "github.com/davd/davd/cmd/davd").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "kill: %v\n", err)
		return 1
	}
	return m.Run()
}

package kill

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/storage/storagetest/sweep"
)

// others are tests of other packages that plant links, race and kill. sample matches the tests that
// run without DAVD_SWEEP=1.
var others = []struct{ pkg, sample, all string }{
	{"storage/local", "LinkPlanted|BelowLink|PoliciesOfBatches", "Link|Escape|Kill|Polic"},
	{"storage/tree", "", "Link"},
	{"storage/sqlstate", "", "Kill"},
	{"dav", "", "Link|Race|Kill"},
	{"cmd/davd", "", "Script/(symlinks|strays|journal)"},
}

// TestOthersLeaveTheRestAlone runs the tests of links, races and kills in other packages. It checks
// that they write nothing outside of their own directories.
func TestOthersLeaveTheRestAlone(t *testing.T) {
	for _, other := range others {
		tests := other.sample
		if sweep.All() {
			tests = other.all
		}
		if tests == "" {
			continue
		}
		t.Run(other.pkg, func(t *testing.T) {
			binary := filepath.Join(t.TempDir(), "tests")
			if err := command("go", "test", "-c", "-o", binary, "github.com/davd/davd/"+other.pkg); err != nil {
				t.Fatal(err)
			}
			disk := filesystems[0].mount(t)
			w := watchRest(t, disk.mounts...)
			cmd := exec.Command(binary, "-test.run", tests, "-test.timeout", "40m")
			cmd.Dir = filepath.Join("..", "..", filepath.FromSlash(other.pkg))
			cmd.Env = append(slices.DeleteFunc(os.Environ(), func(entry string) bool {
				return strings.HasPrefix(entry, "DAVD_") && !strings.HasPrefix(entry, "DAVD_SWEEP=") && !strings.HasPrefix(entry, "DAVD_SEED=")
			}),
				"TMPDIR="+disk.dir)
			out, err := w.run(cmd)
			if err != nil {
				t.Errorf("%s -test.run %s: %v\n%s", other.pkg, tests, err, out)
			}
			w.none(t)
		})
	}
}

// run runs cmd, follows its process and returns its output.
func (w *watch) run(cmd *exec.Cmd) (string, error) {
	out := &output{changed: make(chan struct{}, 1)}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	w.follow(cmd.Process.Pid)
	err := cmd.Wait()
	return out.String(), err
}

package litmus

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// davdBinary is the program under test, built by TestMain.
var davdBinary string

// A program is a program or file that the tests need.
type program struct {
	// paths are the possible places: names in PATH, or files.
	paths []string
	// install is its Debian package.
	install string
}

// The directories of the litmus suites, and of the file that they upload.
const (
	suiteDir  = "/usr/libexec/litmus"
	htdocsDir = "/usr/share/litmus/htdocs"
)

var programs = []program{
	{[]string{filepath.Join(suiteDir, "basic")}, "litmus"},
	{[]string{filepath.Join(htdocsDir, "foo")}, "litmus"},
	{[]string{"cadaver"}, "cadaver"},
	{[]string{"curl"}, "curl"},
	{[]string{"lftp"}, "lftp"},
	{[]string{"/sbin/mount.davfs", "/usr/sbin/mount.davfs"}, "davfs2"},
	{[]string{"mount", "/bin/mount"}, "mount"},
	{[]string{nginxProgram}, "nginx"},
	{[]string{filepath.Join(nginxModules, "ngx_http_dav_ext_module.so")}, "libnginx-mod-http-dav-ext"},
	{[]string{"/usr/sbin/lighttpd"}, "lighttpd"},
	{[]string{filepath.Join(lighttpdDir, "mod_webdav.so")}, "lighttpd-mod-webdav"},
	{[]string{apacheProgram}, "apache2-bin"},
	{[]string{haproxyProgram}, "haproxy"},
}

// parallel is how many tests run at a time.
const parallel = 12

func TestMain(m *testing.M) {
	flag.Parse()
	// The tests mostly wait for slow storage, so many can run at a time.
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
		panic(err)
	}
	if flag.Lookup("test.list").Value.String() != "" {
		os.Exit(m.Run())
	}
	if code, ok := runApart(m); ok {
		os.Exit(code)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "davd-litmus-")
	if err == nil {
		defer os.RemoveAll(dir)
		davdBinary = filepath.Join(dir, "davd")
		err = errors.Join(checkPrograms(), buildDavd(davdBinary))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "litmus: %v\n", err)
		return 1
	}
	code := m.Run()
	summary.print(os.Stdout)
	if *wholeLab {
		if code != 0 {
			*matrixPage = "" // don't write an unexpected matrix into the page
		}
		if err := writeMatrix(os.Stdout, *matrixPage); err != nil {
			fmt.Fprintf(os.Stderr, "litmus: %v\n", err)
			return 1
		}
	}
	return code
}

// checkPrograms returns an error if programs are missing. It says how to install them.
func checkPrograms() error {
	var missing, packages []string
	for _, p := range programs {
		if !p.found() {
			missing = append(missing, p.paths[0])
			if len(packages) == 0 || packages[len(packages)-1] != p.install {
				packages = append(packages, p.install)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("missing: %s: run .ci/deps, or apt-get install -y --no-install-recommends %s",
		strings.Join(missing, ", "), strings.Join(packages, " "))
}

func (p program) found() bool {
	for _, path := range p.paths {
		if _, err := exec.LookPath(path); err == nil {
			return true
		}
		// It may be a file of litmus that is not a program.
		if _, err := os.Stat(path); err == nil && filepath.IsAbs(path) {
			return true
		}
	}
	return false
}

func buildDavd(to string) error {
	args := append([]string{"build", "-o", to}, raceFlags...)
	cmd := exec.Command("go", append(args, "github.com/davd/davd/cmd/davd")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

package litmus

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// litmusSuites are all suites of litmus 0.13.
var litmusSuites = []string{"basic", "copymove", "props", "locks", "http"}

// A litmusConfig is a configuration of davd.
type litmusConfig struct {
	storage string
	forced  bool // send interim responses on every walk; otherwise send none
}

var litmusConfigs = []litmusConfig{{"dir", false}, {"dir", true}, {"mem", false}, {"mem", true}}

func (c litmusConfig) name() string {
	if c.forced {
		return c.storage + ", interim forced"
	}
	return c.storage + ", interim off"
}

func (c litmusConfig) flags(t *testing.T) []string {
	t.Helper()
	flags := []string{"--storage", c.storage, "--interim", "never"}
	if c.forced {
		flags = []string{"--storage", c.storage, "--interim", "always", "--interim-after", "0s", "--interim-every", "1ms"}
	}
	if c.storage == "dir" {
		flags = append(flags, t.TempDir())
	}
	return flags
}

// walks are the methods that walk a tree, reads those that get no interim responses.
var (
	walks = []string{"COPY", "MOVE", "DELETE", "PROPFIND"}
	reads = []string{"GET", "HEAD", "OPTIONS"}
)

func TestLitmus(t *testing.T) {
	t.Parallel()
	installed, err := filepath.Glob(filepath.Join(suiteDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range installed {
		installed[i] = filepath.Base(installed[i])
	}
	if want := slices.Sorted(slices.Values(litmusSuites)); !slices.Equal(installed, want) {
		t.Errorf("litmus has the suites %v, want %v", installed, want)
	}
	for _, config := range litmusConfigs {
		t.Run(config.name(), func(t *testing.T) {
			t.Parallel()
			for _, suite := range litmusSuites {
				t.Run(suite, func(t *testing.T) {
					t.Parallel()
					testSuite(t, suite, config)
				})
			}
		})
	}
}

// testSuite runs one suite against a new davd. Every test must pass, without warnings, and none may
// be skipped.
func testSuite(t *testing.T, suite string, config litmusConfig) {
	t.Helper()
	davd := serve(t, config.flags(t)...)
	between := listenBefore(t, davd)
	// It writes debug.log and child.log to its current directory.
	dir := t.TempDir()
	litmus := client{
		name: filepath.Join(suiteDir, suite), dir: dir, home: dir,
		args: []string{"--htdocs", htdocsDir, between.url + "/"},
	}
	out := litmus.ownTmp().run(t) // the exit status is the number of failures
	run, err := parseSuite(suite, out.stdout+out.stderr)
	if err != nil {
		t.Fatal(err)
	}
	summary.cell(suite, config.name(), run.figures())
	if wrong := run.imperfect(); len(wrong) > 0 {
		t.Error(strings.Join(wrong, "\n"))
		if log, err := os.ReadFile(filepath.Join(dir, "debug.log")); err == nil {
			t.Logf("debug.log ends with\n%s", log[max(0, len(log)-8<<10):])
		}
	}
	walked := checkInterim(t, between.finish(t), config.forced)
	if walked == 0 && suite != "http" { // which only sends PUT
		t.Error("the suite did not walk")
	}
}

// checkInterim checks which requests had interim responses. If forced, it must be every walk that
// was not refused before it began, and no request that only reads. Otherwise it must be none. It
// returns the number of walks.
func checkInterim(t *testing.T, exchanges []*exchange, forced bool) (walked int) {
	t.Helper()
	for _, e := range exchanges {
		walk := slices.Contains(walks, e.method) && e.status >= http.StatusOK && e.status < http.StatusBadRequest
		switch {
		case e.status == 0 && slices.Contains(walks, e.method):
			t.Errorf("no final response: %v", e)
		case walk && forced && len(e.interim) == 0:
			t.Errorf("no interim response: %v", e)
		case len(e.interim) > 0 && (!forced || slices.Contains(reads, e.method)):
			t.Errorf("an interim response: %v", e)
		}
		if walk {
			walked++
		}
	}
	return walked
}

package cluster

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The directories of the suites of litmus, and of the file that they upload.
const (
	suiteDir  = "/usr/libexec/litmus"
	htdocsDir = "/usr/share/litmus/htdocs"
)

// litmusSummary is the last line but one of a suite.
var litmusSummary = regexp.MustCompile("<- summary for `(\\w+)': of (\\d+) tests run: (\\d+) passed, 0 failed")

// runLitmus runs all suites of litmus through HAProxy. Each test must pass without a warning, and
// none may be skipped.
func runLitmus(t *testing.T) {
	t.Helper()
	for _, suite := range []string{"basic", "copymove", "props", "locks", "http"} {
		out := &output{}
		p, err := startProcess(out, "env", "-C", t.TempDir(), filepath.Join(suiteDir, suite),
			"--htdocs", htdocsDir, "http://"+balancerAddress+"/", userName, password)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.ended:
		case <-time.After(patience):
			p.kill()
			t.Fatalf("%s did not end within %v\n%s", suite, patience, out)
		}
		summary := litmusSummary.FindStringSubmatch(out.String())
		if summary == nil || summary[2] != summary[3] || strings.Contains(out.String(), "WARNING") || strings.Contains(out.String(), "SKIPPED") {
			t.Errorf("%s did not pass:\n%s", suite, strings.ReplaceAll(out.String(), "\r", "\n"))
			continue
		}
		t.Logf("litmus %s: %s of %s", suite, summary[3], summary[2])
	}
}

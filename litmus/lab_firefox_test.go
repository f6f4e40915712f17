package litmus

import (
	"path/filepath"
	"testing"
)

const firefox = "firefox-esr"

// firefoxSteps drives a headless Firefox with puppeteer.
func firefoxSteps(t *testing.T, r labRun) []string {
	t.Helper()
	return script("node", "firefox.mjs", npmPuppeteer, "/usr/bin/"+firefox, filepath.Join(r.dir, "profile"))(t, r)
}

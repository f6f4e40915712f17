package litmus

import (
	"path/filepath"
	"testing"
)

const (
	chromium = "/usr/bin/chromium"
	firefox  = "/usr/bin/firefox-esr"
)

// browserSteps drives a headless browser with puppeteer, which calls it kind.
func browserSteps(kind, program string) labProgram {
	return func(t *testing.T, r labRun) []string {
		t.Helper()
		return script("node", "browser.mjs", npmPuppeteer, kind, program, filepath.Join(r.dir, "profile"))(t, r)
	}
}

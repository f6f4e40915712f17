package litmus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// neonLimit is one less than the number of interim responses that neon before 0.33 reads for one
// request.
const neonLimit = 127

// leastInterim is the least number of interim responses that a long operation must have.
const leastInterim = 5

// cadaverMembers is the size of the collection, in files.
const cadaverMembers = 40

// cadaverSteps is a session: the typed commands, and the lines that cadaver answers. A line
// that ends in "…" is compared up to there. "<members>" stands for one line for each member of
// the collection.
var cadaverSteps = []struct {
	typed string
	want  []string
}{
	{"mkcol made", []string{"Creating `made': succeeded."}},
	{"put local.txt", []string{"Uploading local.txt to `/local.txt': [.. succeeded."}},
	{"put local.txt made/inner.txt", []string{"Uploading local.txt to `/made/inner.txt': [.. succeeded."}},
	{"ls", []string{"Listing collection `/': succeeded.", "Coll:   made …", "Coll:   old …", "Coll:   src …", "        local.txt …"}},
	{"copy src copied", []string{"Copying `/src' to `/copied':  succeeded."}},
	{"ls copied", []string{"Listing collection `/copied/': succeeded.", "<members>"}},
	// The collection old already has a collection of this name and size, which has to be
	// removed. A rename alone would be too fast for interim responses.
	{"move copied old", []string{"Moving `/copied' to `/old/copied':  succeeded."}},
	{"propset local.txt colour blue", []string{"Setting property on `local.txt': succeeded."}},
	{"propset made colour red", []string{"Setting property on `made': succeeded."}},
	{"move local.txt made/moved.txt", []string{"Moving `/local.txt' to `/made/moved.txt':  succeeded."}},
	{"propget made/moved.txt colour", []string{"Fetching properties for `made/moved.txt':", "Value of colour is: blue"}},
	{"propget made colour", []string{"Fetching properties for `made':", "Value of colour is: red"}},
	{"move made/moved.txt local.txt", []string{"Moving `/made/moved.txt' to `/local.txt':  succeeded."}},
	{"lock local.txt", []string{"Locking `local.txt': succeeded."}},
	{"discover local.txt", []string{"Discovering locks on `local.txt':", "Lock token <urn:uuid:…", "  Depth 0 on …", "  Scope: exclusive  Type: write …", "  Owner: (none)"}},
	{"showlocks", []string{"Lock token <urn:uuid:…", "  Depth 0 on …", "  Scope: exclusive  Type: write …", "  Owner: (none)"}},
	{"put local.txt", []string{"Uploading local.txt to `/local.txt': [.. succeeded."}},
	{"unlock local.txt", []string{"Unlocking `local.txt': succeeded."}},
	{"delete made/inner.txt", []string{"Deleting `made/inner.txt': succeeded."}},
	{"get old/copied/file\\ 007.txt fetched.txt", []string{"Downloading `/old/copied/file 007.txt' to fetched.txt: [.. succeeded."}},
	{"cat local.txt", []string{"from here"}},
	{"rmcol old", []string{"Deleting collection `old': succeeded."}},
	{"ls", []string{"Listing collection `/': succeeded.", "Coll:   made …", "Coll:   src …", "        local.txt …"}},
	{"quit", []string{"Connection to `127.0.0.1' closed."}},
}

// TestCadaver has davd send an interim response every few milliseconds. It uses the mode always,
// and also auto, because davd knows that cadaver's library understands them.
func TestCadaver(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"always", "auto"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			testCadaver(t, mode)
		})
	}
}

func testCadaver(t *testing.T, mode string) {
	t.Helper()
	share, here := t.TempDir(), t.TempDir()
	writeFiles(t, filepath.Join(share, "src"), cadaverMembers)
	writeFiles(t, filepath.Join(share, "old", "copied"), cadaverMembers)
	if err := os.WriteFile(filepath.Join(here, "local.txt"), []byte("from here\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	src := contents(t, filepath.Join(share, "src"))
	davd := serve(t, "--latency", "1ms", "--interim", mode, "--interim-after", "0s", "--interim-every", "2ms", share)
	between := listenBefore(t, davd)

	var script strings.Builder
	for _, step := range cadaverSteps {
		script.WriteString(step.typed + "\n")
	}
	cadaver := client{name: "cadaver", args: []string{between.url + "/"}, dir: here, home: here, stdin: script.String()}
	run := cadaver.mustRun(t)
	checkSession(t, run.stdout+run.stderr)

	wantContents(t, filepath.Join(share, "src"), src)
	wantContents(t, filepath.Join(share, "made"), nil)
	wantGone(t, filepath.Join(share, "copied"))
	wantGone(t, filepath.Join(share, "old"))
	top := contents(t, share)
	if len(top) != 1+1+1+cadaverMembers || top["local.txt"] != "from here\n" {
		t.Errorf("the share holds %d entries, local.txt %q", len(top), top["local.txt"])
	}
	if got := contents(t, here)["fetched.txt"]; got != src["file 007.txt"] {
		t.Errorf("fetched %q, want %q", got, src["file 007.txt"])
	}
	checkCadaverInterim(t, between.finish(t))
}

// checkSession compares the output of cadaver with cadaverSteps.
func checkSession(t *testing.T, output string) {
	t.Helper()
	const prompt = "dav:/> "
	answers := strings.Split(output, prompt)
	if answers[0] != "" || len(answers) != len(cadaverSteps)+1 {
		t.Fatalf("%d answers, want %d:\n%s", len(answers)-1, len(cadaverSteps), output)
	}
	for i, step := range cadaverSteps {
		typed, answer, _ := strings.Cut(answers[i+1], "\n")
		if typed != step.typed {
			t.Errorf("typed %q, want %q", typed, step.typed)
		}
		lines := strings.Split(strings.TrimSuffix(answer, "\n"), "\n")
		if !matchLines(lines, step.want) {
			t.Errorf("%s: cadaver answers\n%s\nwant\n%s", step.typed, strings.Join(lines, "\n"), strings.Join(step.want, "\n"))
		}
	}
}

func matchLines(got, want []string) bool {
	for i, line := range want {
		if line == "<members>" {
			return i == len(want)-1 && len(got)-i == cadaverMembers && membersOnly(got[i:])
		}
		if i >= len(got) || !matchLine(got[i], line) {
			return false
		}
	}
	return len(got) == len(want)
}

func matchLine(got, want string) bool {
	if start, cut := strings.CutSuffix(want, "…"); cut {
		return strings.HasPrefix(got, start)
	}
	if end, cut := strings.CutPrefix(want, "..."); cut {
		return strings.HasPrefix(got, "http://127.0.0.1:") && strings.HasSuffix(got, end)
	}
	return got == want
}

func membersOnly(lines []string) bool {
	for _, line := range lines {
		if !strings.HasPrefix(line, "        file ") {
			return false
		}
	}
	return true
}

// checkCadaverInterim checks that each long operation had interim responses, but no request had
// more than neonLimit.
func checkCadaverInterim(t *testing.T, exchanges []*exchange) {
	t.Helper()
	for _, long := range []struct{ method, path string }{
		{"COPY", "/src"}, {"PROPFIND", "/copied"}, {"MOVE", "/copied"}, {"DELETE", "/old"},
	} {
		most := 0
		for _, e := range exchanges {
			if e.method == long.method && strings.TrimSuffix(e.path, "/") == long.path {
				most = max(most, len(e.interim))
			}
		}
		t.Logf("%s %s: %d interim responses", long.method, long.path, most)
		if most < leastInterim {
			t.Errorf("%s %s had %d interim responses, want at least %d", long.method, long.path, most, leastInterim)
		}
	}
	for _, e := range exchanges {
		if e.status == 0 {
			t.Errorf("no final response: %v", e)
		}
		if len(e.interim) > neonLimit {
			t.Errorf("more than %d interim responses: %v", neonLimit, e)
		}
	}
}

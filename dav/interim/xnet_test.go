package interim_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// wrapper makes x/net's handler one that an interim.Handler wraps.
const wrapper = `package webdav

import (
	"net/http"

	"github.com/davd/davd/dav/interim"
)

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(&interim.Handler{
		Next: http.HandlerFunc(h.serveHTTP), Policy: interim.Policy{Mode: interim.Always, After: -1, Every: 1},
	}).ServeHTTP(w, r)
}
`

// TestXNetTests: x/net's own tests of its handler have the same results with and without a
// Handler around it, which sends interim responses all the time.
func TestXNetTests(t *testing.T) {
	without, with := xnetTests(t, false), xnetTests(t, true)
	if len(without) < 20 || !slices.Equal(without, with) {
		t.Errorf("x/net's tests without a Handler:\n%s\nand with:\n%s", strings.Join(without, "\n"), strings.Join(with, "\n"))
	}
}

// xnetTests returns the results of x/net's tests, sorted.
func xnetTests(t *testing.T, wrapped bool) []string {
	t.Helper()
	dir, repository := t.TempDir(), run(t, ".", "go", "list", "-m", "-f", "{{.Dir}}")
	source := run(t, ".", "go", "list", "-f", "{{.Dir}}", "golang.org/x/net/webdav")
	copySource(t, source, dir, wrapped)
	copySource(t, filepath.Join(source, "internal", "xml"), filepath.Join(dir, "internal", "xml"), false)
	mod, err := os.ReadFile(filepath.Join(repository, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod = bytes.Replace(mod, []byte("module github.com/davd/davd\n"), []byte("module xnet.test/webdav\n\nrequire github.com/davd/davd v0.0.0\nreplace github.com/davd/davd => "+repository+"\n"), 1)
	put(t, filepath.Join(dir, "go.mod"), mod)
	sum, err := os.ReadFile(filepath.Join(repository, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "go.sum"), sum)
	cmd := exec.CommandContext(t.Context(), "go", "test", "-mod=mod", "-count=1", "-v", ".")
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput() // tests may fail, if they do in both cases
	results := regexp.MustCompile(`(?m)^\s*--- (?:PASS|FAIL|SKIP): \S+`).FindAllString(string(out), -1)
	if len(results) == 0 {
		t.Fatalf("no test ran:\n%s", out)
	}
	slices.Sort(results)
	return results
}

// copySource copies a package as one of the module xnet.test/webdav.
func copySource(t *testing.T, from, to string, wrapped bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(from, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.ReplaceAll(content, []byte(`"golang.org/x/net/webdav`), []byte(`"xnet.test/webdav`))
		if wrapped {
			content = bytes.Replace(content, []byte("func (h *Handler) ServeHTTP("), []byte("func (h *Handler) serveHTTP("), 1)
		}
		put(t, filepath.Join(to, filepath.Base(name)), content)
	}
	if wrapped {
		put(t, filepath.Join(to, "wrapper.go"), []byte(wrapper))
	}
}

func put(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v", name, args, err)
	}
	return strings.TrimSpace(string(out))
}

package page

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/dav"
)

// TestBuilt: the built files belong to the sources.
func TestBuilt(t *testing.T) {
	content, err := os.ReadFile("dist/sources.json")
	if err != nil {
		t.Fatal(err)
	}
	var built map[string]string
	if err := json.Unmarshal(content, &built); err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("src/*")
	if err != nil {
		t.Fatal(err)
	}
	sources = append(sources, "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json", "../internal/browser/style.css")
	for _, name := range sources {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if name := filepath.ToSlash(name); built[name] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s has changed since the files in dist were built: run make page", name)
		}
	}
	if len(built) != len(sources) {
		t.Errorf("dist was built from %d sources, but there are %d: run make page", len(built), len(sources))
	}
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(lock), "resolved") {
		t.Error("package-lock.json names a registry")
	}
}

// maxFirstLoad limits the assets that a page loads first, in bytes before compression. Compressed,
// they have about a third.
const maxFirstLoad = 300_000

// TestCollection: the page escapes names, and only its own script may run.
func TestCollection(t *testing.T) {
	pages := New()
	answer := httptest.NewRecorder()
	c := &dav.Collection{
		Name: "/a b/<c>", Root: "./../../", Base: "./", Assets: "./../../.davd-page/", Principal: `ann"`, Creates: true, Whole: true,
		Members: []dav.Member{
			{Name: "d&e", Collection: true, Size: -1},
			{Name: `<img src=x onerror=alert(1)>"'.txt`, Size: 1234, Modified: time.Unix(1e9, 0), Type: "text/plain"},
			{Name: "fdp\u202etxt.exe", Size: 999_500},
		},
	}
	if err := pages.Collection(answer, httptest.NewRequest(http.MethodGet, "/a%20b/%3Cc%3E/?sort=-size", http.NoBody), c); err != nil {
		t.Fatal(err)
	}
	body, policy := answer.Body.String(), answer.Header().Get("Content-Security-Policy")
	nonce := regexp.MustCompile(`'nonce-([A-Z2-7]{26})' 'strict-dynamic'`).FindStringSubmatch(policy)
	if nonce == nil || strings.Contains(policy, "unsafe") || strings.Count(body, "<script") != 2 || strings.Count(body, `nonce="`+nonce[1]+`"`) != 2 {
		t.Errorf("policy %s of %s", policy, body)
	}
	for _, part := range []string{
		`<a href="./d&amp;e/">`, `<a href="./%3Cimg%20src=x%20onerror=alert(1)%3E%22%27.txt"><bdi>&lt;img src=x onerror=alert(1)&gt;`, "<td>Text</td>", `<data value="1234">1.2 kB</data>`, "1.0 MB", `<time datetime="2001-09-09T01:46:40Z">2001-09-09 01:46</time>`,
		"fdp\ufffdtxt.exe", `data-user="ann&#34;"`, `aria-sort="descending"><a href="?sort=size">`, `<a href="./../../a%20b/"><bdi>a b</bdi></a>`, `<title>&lt;c&gt;</title>`,
	} {
		if !strings.Contains(body, part) {
			t.Errorf("no %s in %s", part, body)
		}
	}
	size := 0
	for _, name := range []string{pages.boot, pages.script, pages.style} {
		content, contentType, ok := pages.Asset(name)
		if !ok || contentType == "" || !strings.Contains(body, "./../../.davd-page/"+name) {
			t.Errorf("no asset %s", name)
		}
		size += len(content)
	}
	if size > maxFirstLoad {
		t.Errorf("a page loads %d bytes first", size)
	}
	if _, _, ok := pages.Asset("none.js"); ok {
		t.Error("an asset that doesn't exist")
	}
}

package litmus

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A seenAnswer is what a page of another origin could read of an answer.
type seenAnswer struct {
	Status     int
	ETag, Body string
	// Error is the name of the error that the page got in place of an answer.
	Error string
}

var resultOfPage = regexp.MustCompile(`<pre>(.*)</pre>`)

// TestCrossOrigin opens pages of two other origins in a browser. Those of the origin that
// --cors-origin names may use davd, with a password. Those of the other one read nothing and change
// nothing.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	if !*wholeLab {
		t.Skip("only with -lab")
	}
	if err := missing([]string{"chromium"}); err != nil {
		summary.skip(t, "pages of other origins in Chromium", err)
	}
	page := func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join("testdata", "lab", "cors.html"))
	}
	allowed, refused := httptest.NewServer(http.HandlerFunc(page)), httptest.NewServer(http.HandlerFunc(page))
	t.Cleanup(allowed.Close)
	t.Cleanup(refused.Close)
	share := t.TempDir()
	users := filepath.Join(t.TempDir(), "users")
	writeFile(t, users, []byte(pageUsers))
	writeFile(t, filepath.Join(share, "old.txt"), []byte("old"))
	davd := serve(t, "--htpasswd", users, "--cors-origin", allowed.URL, share)

	for name, answer := range visitFrom(t, refused.URL, davd.url) {
		if answer != (seenAnswer{Error: "TypeError"}) {
			t.Errorf("%s from an origin that is not listed: %+v", name, answer)
		}
	}
	wantNames(t, share, "old.txt")

	seen := visitFrom(t, allowed.URL, davd.url)
	for name, want := range map[string]struct {
		status   int
		contains string
	}{
		"PUT": {201, ""}, "PROPFIND": {207, "<D:href>/new.txt</D:href>"}, "COPY": {201, ""}, "GET": {200, "old"},
		"wrong password": {401, ""}, "no preflight": {401, ""},
	} {
		if got := seen[name]; got.Status != want.status || !strings.Contains(got.Body, want.contains) {
			t.Errorf("%s from the listed origin: %+v, want %d with %q", name, got, want.status, want.contains)
		}
	}
	if seen["GET"].ETag == "" {
		t.Error("the page can't read the ETag")
	}
	wantNames(t, share, "copy.txt", "new.txt", "old.txt")
}

// visitFrom opens the page at origin in a browser, and returns the answers that it got from davd.
func visitFrom(t *testing.T, origin, davd string) map[string]seenAnswer {
	t.Helper()
	home := t.TempDir()
	run := client{name: "chromium", args: []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + filepath.Join(home, "profile"),
		"--virtual-time-budget=20000", "--dump-dom", origin + "/?davd=" + url.QueryEscape(davd),
	}, home: home}.mustRun(t)
	seen := make(map[string]seenAnswer)
	result := resultOfPage.FindStringSubmatch(run.stdout)
	if result == nil {
		t.Fatalf("the page has no result: %s", run.stdout)
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(result[1])), &seen); err != nil || len(seen) == 0 {
		t.Fatalf("%v in %q", err, result[1])
	}
	return seen
}

// wantNames checks the names in a directory.
func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the share has %q, want %q", got, want)
	}
}

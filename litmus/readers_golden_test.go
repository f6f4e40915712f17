package litmus

import (
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var updateGolden = flag.Bool("update", false, "rewrite the golden multi-statuses")

// goldenKinds are the kinds of PROPFIND. goldenPlaces are the listed resources.
var (
	goldenKinds = []struct{ name, section, body string }{
		{"named", "§9.1.3", `<D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:displayname/><D:getcontentlength/><D:getlastmodified/><colour xmlns="http://example.org/"/><none xmlns=""/></D:prop></D:propfind>`},
		{"allprop", "§9.1.5", `<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>`},
		{"propname", "§9.1.4", `<D:propfind xmlns:D="DAV:"><D:propname/></D:propfind>`},
	}
	goldenPlaces = []struct{ depth, path string }{{"0", "/kinds/file"}, {"1", "/kinds/"}, {"infinity", "/"}}
)

const (
	goldenProppatch = `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop xml:lang="en"><colour xmlns="http://example.org/">red <b xmlns="" tint="a&quot;&lt;&#9;">&amp;</b> <D:c>&lt;</D:c></colour></D:prop></D:set></D:propertyupdate>`
	goldenLock      = `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>Zoë <D:href>http://example.org/?a&amp;b</D:href></D:owner></D:lockinfo>`
)

// TestGoldenListings compares davd's listings of a tree that is hard to list with golden files, as
// XML infosets. One file has a dead property, and one collection is locked.
func TestGoldenListings(t *testing.T) {
	t.Parallel()
	share := publicDir(t)
	plantHostile(t, share)
	davd := serve(t, share)
	ask(t, "PROPPATCH", davd.url+"/kinds/file", goldenProppatch, http.StatusMultiStatus)
	ask(t, "LOCK", davd.url+"/kinds/collection/", goldenLock, http.StatusOK)
	for _, kind := range goldenKinds {
		for _, place := range goldenPlaces {
			t.Run(fmt.Sprintf("RFC 4918 %s: %s, Depth %s", kind.section, kind.name, place.depth), func(t *testing.T) {
				t.Parallel()
				answer := ask(t, "PROPFIND", davd.url+place.path, kind.body, http.StatusMultiStatus, "Depth", place.depth)
				got := parseElement(t, answer)
				normalise(t, got)
				file := filepath.Join("testdata", "readers", kind.name+"-"+place.depth+".xml")
				if *updateGolden {
					if err := os.WriteFile(file, []byte(xml.Header+got.String()), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				golden, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if difference := differingLines(got.String(), parseElement(t, string(golden)).String()); difference != "" {
					t.Errorf("%s differs (+ is davd's answer); -update takes it over:\n%s", file, difference)
				}
			})
		}
	}
}

// ask sends a request and returns the body of the answer.
func ask(t *testing.T, method, url, body string, status int, header ...string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/xml")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		t.Fatalf("%s %s: %s, %v\n%.400s", method, url, response.Status, err, answer)
	}
	return string(answer)
}

// goldenChanging are the elements that differ between runs. form matches their text, and text
// stands for it in a golden file.
var goldenChanging = map[string]struct {
	form *regexp.Regexp
	text string
}{
	"creationdate": {regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`), "(when the test made it)"},
	"getetag":      {regexp.MustCompile(`^"[0-9a-f-]{8,}"$`), `"(version)"`},
	"timeout":      {regexp.MustCompile(`^Second-\d+$`), "Second-(rest)"},
	"locktoken":    {regexp.MustCompile(`^urn:uuid:[0-9a-f-]{36}$`), "urn:uuid:(any)"},
}

// normalise sorts the response elements of a multi-status, because their order on the disk is
// undefined. It replaces texts that differ between runs.
func normalise(t *testing.T, multistatus *element) {
	t.Helper()
	slices.SortFunc(multistatus.content, func(a, b *element) int { return strings.Compare(a.find("href").text(), b.find("href").text()) })
	multistatus.each(func(e *element) {
		changing, ok := goldenChanging[e.name.Local]
		if !ok || e.name.Space != "DAV:" || len(e.content) == 0 {
			return
		}
		if e.name.Local == "locktoken" {
			e = e.find("href")
		}
		text := e.text()
		if !changing.form.MatchString(text) {
			t.Errorf("%s: %q", e.name.Local, text)
		}
		if when, err := time.Parse(time.RFC3339, text); err == nil && time.Since(when).Abs() > time.Hour {
			t.Errorf("%s: %q", e.name.Local, text)
		}
		e.content = []*element{{characters: changing.text}}
	})
}

// differingLines returns the lines that are only in one of two texts, with some lines before them.
func differingLines(got, want string) string {
	if got == want {
		return ""
	}
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	first := 0
	for first < min(len(a), len(b)) && a[first] == b[first] {
		first++
	}
	var out strings.Builder
	for _, side := range []struct {
		sign  string
		lines []string
	}{{" ", a[max(0, first-10):first]}, {"-", b[first:min(len(b), first+5)]}, {"+", a[first:min(len(a), first+5)]}} {
		for _, line := range side.lines {
			fmt.Fprintf(&out, "%s %.300s\n", side.sign, line)
		}
	}
	return out.String()
}

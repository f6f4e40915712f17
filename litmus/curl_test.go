package litmus

import (
	"encoding/xml"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const (
	// curlMembers is the size of the collection, in files.
	curlMembers = 500
	// The latencies of the storage make each operation take more than half a second. A
	// listing gets a longer one, because it examines many members at a time.
	curlLatency, curlListLatency = "2ms", "40ms"
)

// TestCurl tests what a person sees who tries davd with curl.
func TestCurl(t *testing.T) {
	t.Parallel()
	t.Run("COPY", func(t *testing.T) {
		t.Parallel()
		share, want := curlShare(t)
		curl(t, share, http.StatusCreated, "COPY", "/src", "--header", "Destination: /dst")
		wantContents(t, filepath.Join(share, "src"), want)
		wantContents(t, filepath.Join(share, "dst"), want)
	})
	t.Run("MOVE across a mount point", func(t *testing.T) {
		t.Parallel()
		if err := mountPermitted(); err != nil {
			summary.skip(t, "curl, MOVE across a mount point", err)
		}
		share, want := curlShare(t)
		mountTmpfs(t, filepath.Join(share, "other"))
		curl(t, share, http.StatusCreated, "MOVE", "/src", "--header", "Destination: /other/dst")
		wantGone(t, filepath.Join(share, "src"))
		wantContents(t, filepath.Join(share, "other", "dst"), want)
	})
	t.Run("DELETE", func(t *testing.T) {
		t.Parallel()
		share, _ := curlShare(t)
		curl(t, share, http.StatusNoContent, "DELETE", "/src")
		wantContents(t, share, nil)
	})
	t.Run("PROPFIND", func(t *testing.T) {
		t.Parallel()
		share, _ := curlShare(t)
		// One property, so that the answer can be held until it is complete.
		const body = `<propfind xmlns="DAV:"><prop><getcontentlength/></prop></propfind>`
		answer := curl(t, share, http.StatusMultiStatus, "PROPFIND", "/src",
			"--header", "Depth: 1", "--header", "Content-Type: application/xml", "--data-binary", body)
		if responses := countResponses(t, answer); responses != 1+curlMembers {
			t.Errorf("%d responses in the multi-status, want %d", responses, 1+curlMembers)
		}
	})
}

func curlShare(t *testing.T) (share string, src map[string]string) {
	t.Helper()
	share = t.TempDir()
	writeFiles(t, filepath.Join(share, "src"), curlMembers)
	return share, contents(t, filepath.Join(share, "src"))
}

var (
	statusLine   = regexp.MustCompile(`^< HTTP/1\.1 (\d+) `)
	progressLine = regexp.MustCompile(`^< Progress: (\d+)/(\d*)( "[!-~]*")?( \d+/\d* \(bytes\))?$`)
)

// curl sends a request to a davd that serves share on slow storage. curl must show interim
// responses with a growing Progress, and then status. It returns the body.
func curl(t *testing.T, share string, status int, method, path string, args ...string) string {
	t.Helper()
	latency := curlLatency
	if method == "PROPFIND" {
		latency = curlListLatency
	}
	davd := serve(t, "--latency", latency, "--interim", "always", "--interim-after", "100ms", "--interim-every", "100ms", share)
	args = append([]string{"--disable", "--no-progress-meter", "--verbose", "--noproxy", "*", "--request", method}, args...)
	run := client{name: "curl", args: append(args, davd.url+path), home: t.TempDir()}.mustRun(t)
	var statuses []int
	var done []int64
	for line := range strings.Lines(run.stderr) {
		line = strings.TrimRight(line, "\r\n")
		if match := statusLine.FindStringSubmatch(line); match != nil {
			statuses = append(statuses, atoi(t, match[1]))
		}
		if strings.HasPrefix(line, "< Progress:") {
			match := progressLine.FindStringSubmatch(line)
			if match == nil {
				t.Fatalf("not a Progress: %s", line)
			}
			done = append(done, int64(atoi(t, match[1])))
		}
	}
	checkStatuses(t, statuses, status)
	checkProgress(t, done, len(statuses)-1)
	summary.line("curl %s of %d files: %d interim responses, then %d, in %.1f s", method, curlMembers, len(done), status, run.took.Seconds())
	return run.stdout
}

// checkStatuses checks that there are enough 102 responses and then final.
func checkStatuses(t *testing.T, statuses []int, final int) {
	t.Helper()
	if len(statuses) < leastInterim+1 || statuses[len(statuses)-1] != final {
		t.Fatalf("statuses %v, want at least %d times 102 and then %d", statuses, leastInterim, final)
	}
	for _, status := range statuses[:len(statuses)-1] {
		if status != http.StatusProcessing {
			t.Errorf("statuses %v, want only 102 before %d", statuses, final)
			return
		}
	}
}

// checkProgress checks that each interim response has a Progress header, and that it grows.
func checkProgress(t *testing.T, done []int64, interim int) {
	t.Helper()
	if len(done) != interim {
		t.Fatalf("%d times Progress with %d interim responses", len(done), interim)
	}
	steps := 0
	for i := 1; i < len(done); i++ {
		if done[i] < done[i-1] {
			t.Fatalf("Progress shrinks: %v", done)
		}
		if done[i] > done[i-1] {
			steps++
		}
	}
	if steps < leastInterim-1 {
		t.Errorf("Progress does not grow: %v", done)
	}
}

// countResponses reads all of body, which must be well-formed.
func countResponses(t *testing.T, body string) (responses int) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(body))
	for {
		token, err := decoder.Token()
		if err == io.EOF { //nolint:errorlint // as documented
			return responses
		}
		if err != nil {
			t.Fatalf("the multi-status is not well-formed: %v", err)
		}
		start, ok := token.(xml.StartElement)
		if ok && start.Name == (xml.Name{Space: "DAV:", Local: "response"}) {
			responses++
		}
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

package litmus

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// screenshot is the file for a picture of the page half way, which the README shows:
//
//	go test ./litmus -run TestStatusPage -lab -lab.screenshot=testdata/operation.png
var screenshot = flag.String("lab.screenshot", "", "the file that gets a picture of the status page of a COPY")

// npmPuppeteer is the module that drives Chromium.
var npmPuppeteer = filepath.Join(labBin, "node_modules/puppeteer-core/lib/esm/puppeteer/puppeteer-core.js")

const (
	// With these latencies, a COPY or DELETE of pageFiles files takes half a minute. A browser
	// needs a third of that to start and to see the bar move.
	pageFiles                      = 800
	pageLatency, pageDeleteLatency = "25ms", "40ms"
	// pageUsers is an htpasswd file: the password is "secret".
	pageUsers = "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
)

// A pageTask is a task for testdata/lab/statuspage.mjs.
type pageTask struct {
	URL     string `json:"url"`
	Dir     string `json:"dir"`
	Scripts bool   `json:"scripts"`
	Press   string `json:"press"`
	Picture string `json:"picture"`
}

// A seenPage is the content of a page at one moment.
type seenPage struct {
	Title, Heading, Button string
	// Bar is the filled part of the progress bar, or nil if there is no bar or the part is
	// unknown.
	Bar *float64
	// Terms are the lines of the page: the right column by the left column.
	Terms map[string]string
	// Failed are the failed members. Rows are the operations in a list.
	Failed, Rows []string
}

// A pageVisit is what a browser has seen, in this order.
type pageVisit struct {
	// Running are the states before the end. Loads is how often the page was loaded for them,
	// and Streams how many event streams were opened. SameBar says that the same element
	// showed all states of the bar.
	Running []seenPage
	Loads   int `json:"loadsRunning"`
	Streams int `json:"streamsRunning"`
	SameBar bool
	// Nodes are the roles and names of the page's nodes, as assistive technology sees them.
	// Focus is the node that has the focus after the first Tab.
	Nodes []string
	Focus string
	// Widths are the widths of the content by the width of the window. Colours are the
	// colours of text and background by colour scheme.
	Widths, ListWidths map[string]int
	Colours            map[string][2]string
	Ended              seenPage
	List, Forgotten    seenPage
	// Complaints are console messages, exceptions and failed requests.
	Complaints []string
}

// TestStatusPage opens the pages of operations in a browser.
func TestStatusPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		task pageTask
		run  func(t *testing.T, task pageTask)
	}{
		{"stopped, with scripts", pageTask{Scripts: true, Press: "click", Picture: *screenshot}, stoppedCopy},
		{"stopped, without scripts", pageTask{Press: "keyboard"}, stoppedCopy},
		{"failed members", pageTask{Scripts: true}, partialDelete},
	} {
		if !*wholeLab {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := missing([]string{"chromium", "node", npmPuppeteer}); err != nil {
				summary.skip(t, "status page in Chromium", err)
			}
			c.run(t, c.task)
		})
	}
}

// stoppedCopy watches a running COPY and stops it. The destination must be unchanged.
func stoppedCopy(t *testing.T, task pageTask) {
	t.Helper()
	share, url := pageServer(t, pageLatency)
	before := contents(t, share)
	task.URL = url + begin(t, url, "COPY", "/photos", "Destination", "/backup")
	visit := task.visit(t)
	wantMoving(t, visit)
	if still := visit.Loads == 1; still != task.Scripts || visit.SameBar != task.Scripts || (visit.Streams == 1) != task.Scripts {
		t.Errorf("with scripts %v it was loaded %d times, with %d streams of events (the same bar: %v)", task.Scripts, visit.Loads, visit.Streams, visit.SameBar)
	}
	if task.Press == "keyboard" && visit.Focus != "Stop and roll back" {
		t.Errorf("the focus is on %q", visit.Focus)
	}
	wantEnded(t, visit, "Copy /photos to /backup", "Stopped by you. Nothing changed.")
	wantContents(t, share, before)
}

// partialDelete watches a DELETE in the list and on its page. It ends with a failed member, because
// a filesystem is mounted there.
func partialDelete(t *testing.T, task pageTask) {
	t.Helper()
	if err := mountPermitted(); err != nil {
		summary.skip(t, "status page in Chromium, failed members", err)
	}
	share, url := pageServer(t, pageDeleteLatency)
	mountTmpfs(t, filepath.Join(share, "photos", "card"))
	begin(t, url, "DELETE", "/photos")
	task.URL = url + "/.davd-operations/"
	visit := task.visit(t)
	for _, page := range visit.Running {
		if row := page.Rows[0]; !strings.HasPrefix(row, "Delete /photos") || !strings.Contains(row, "running") {
			t.Errorf("the list shows %q", row)
		}
	}
	if visit.Loads != 1 {
		t.Errorf("the list was loaded %d times", visit.Loads)
	}
	wantEnded(t, visit, "Delete /photos", "finished: 207 Multi-Status")
	if failed := visit.Ended.Failed; !slices.Equal(failed, []string{"card: 409 Conflict"}) {
		t.Errorf("failed are %q", failed)
	}
}

// pageServer starts a davd with one user. url contains the user name and password.
func pageServer(t *testing.T, latency string) (share, url string) {
	t.Helper()
	dir := t.TempDir()
	share = filepath.Join(dir, "share")
	for i := range pageFiles {
		name := filepath.Join(share, "photos", strconv.Itoa(2019+i/100), fmt.Sprintf("IMG_%04d.jpg", 1000+i))
		if i == 0 {
			name = filepath.Join(share, "photos", strings.Repeat("a name too long for any telephone", 6))
		}
		writeFile(t, name, bytes.Repeat([]byte{byte(i)}, 40_000+i%50*400))
	}
	writeFile(t, filepath.Join(share, "backup", "old.txt"), []byte("old"))
	users := filepath.Join(dir, "users")
	writeFile(t, users, []byte(pageUsers))
	davd := serve(t, "--latency", latency, "--htpasswd", users, share)
	return share, strings.Replace(davd.url, "://", "://ann:secret@", 1)
}

func writeFile(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// begin starts an operation and returns the path of its page.
func begin(t *testing.T, url, method, path string, header ...string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Prefer", "respond-async, wait=0")
	for pair := range slices.Chunk(header, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Fatalf("%s is %s", method, response.Status)
	}
	return response.Header.Get("Location")
}

// runInChromium runs a script of testdata/lab. Its arguments are the modules, Chromium, and the task
// in JSON.
func runInChromium(t *testing.T, home, script string, task any, modules ...string) clientRun {
	t.Helper()
	argument, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{filepath.Join("testdata", "lab", script)}, modules...)
	return client{name: "node", args: append(args, chromium, string(argument)), home: home}.mustRun(t)
}

// visit makes a browser carry out the task.
func (task pageTask) visit(t *testing.T) *pageVisit {
	t.Helper()
	home := t.TempDir()
	task.Dir = filepath.Join(home, "profile")
	run := runInChromium(t, home, "statuspage.mjs", task, npmPuppeteer)
	visit := new(pageVisit)
	if err := json.Unmarshal([]byte(run.stdout), visit); err != nil {
		t.Fatalf("%v in %s", err, run.stdout)
	}
	return visit
}

// When the bar moves, the page shows totals in its title and in the number of members.
var (
	titleOfCopy   = regexp.MustCompile(`^\d+% Copy /photos to /backup$`)
	membersOfCopy = regexp.MustCompile(`^\d+ of \d+$`)
)

// wantMoving checks what a page has shown about a running COPY.
func wantMoving(t *testing.T, visit *pageVisit) {
	t.Helper()
	for _, page := range visit.Running {
		if !titleOfCopy.MatchString(page.Title) || page.Bar == nil || page.Terms["State"] != "running" || page.Terms["Current"] == "" || !membersOfCopy.MatchString(page.Terms["Members"]) {
			t.Errorf("while it runs the page is %+v", page)
		}
	}
	for _, node := range []string{"progressbar Progress", "button Stop and roll back", "link All operations"} {
		if !slices.Contains(visit.Nodes, node) {
			t.Errorf("no %s among %q", node, visit.Nodes)
		}
	}
	wantFitting(t, visit.Widths)
	if dark, light := visit.Colours["dark"], visit.Colours["light"]; dark[0] == light[0] || dark[1] == light[1] {
		t.Errorf("colours %q", visit.Colours)
	}
}

// wantEnded checks what a browser has shown about an operation that has ended.
func wantEnded(t *testing.T, visit *pageVisit, what, state string) {
	t.Helper()
	ended := visit.Ended
	word := strings.ToLower(strings.FieldsFunc(state, func(c rune) bool { return !unicode.IsLetter(c) })[0])
	if ended.Title != word+": "+what || ended.Heading != what || ended.Terms["State"] != state || ended.Bar != nil || ended.Button != "Forget this operation" {
		t.Errorf("in the end the page is %+v", ended)
	}
	if rows := visit.List.Rows; len(rows) != 1 || !strings.HasPrefix(rows[0], what) || !strings.Contains(rows[0], state) {
		t.Errorf("in the end the list is %q", rows)
	}
	if visit.Forgotten.Heading != "Operations" || len(visit.Forgotten.Rows) != 0 {
		t.Errorf("what was forgotten leaves %+v", visit.Forgotten)
	}
	wantFitting(t, visit.ListWidths)
	if len(visit.Complaints) > 0 {
		t.Errorf("the browser complains: %q", visit.Complaints)
	}
}

// wantFitting checks that the content is not wider than the window.
func wantFitting(t *testing.T, widths map[string]int) {
	t.Helper()
	if len(widths) == 0 {
		t.Error("no widths")
	}
	for window, width := range widths {
		if width > atoi(t, window) {
			t.Errorf("in a window %s px wide the page has %d px", window, width)
		}
	}
}

package litmus

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// wholeLab is set by make litmus, which installs the programs. Without it, only rows whose
// programs .ci/deps has installed run.
var wholeLab = flag.Bool("lab", false, "run every row of the matrix of clients and proxies")

// matrixPage is the page that gets the tables of -lab, between two marker lines.
var matrixPage = flag.String("lab.page", "", "replace the matrix in this page")

// The pace of the lab. On storage with labLatency and with GOMAXPROCS=2 (see serve), an operation
// takes three to five seconds. That is longer than labTimeout. It also allows more interim
// responses than some programs accept: eight for java.net.http and nine for Apache.
const (
	labLatency = "50ms"
	labSlow    = "200ms" // four times as long
	labAfter   = "200ms"
	labEvery   = "300ms"
	// labTimeout is the read time-out of a client or proxy in the column of time-outs. It is
	// longer than a second, the shortest time between two 102 responses for a client that asks.
	labTimeout = 2 * time.Second
	// labPatience is the read time-out in the other columns.
	labPatience = 20 * time.Second
)

// The numbers of files that are copied, moved, deleted and listed, and the size in bytes of the
// file for programs that can't copy a collection.
const (
	labCopied, labMoved, labDeleted, labListed = 26, 14, 26, 1200
	labBig                                     = 800 << 10
)

// labSteps are the steps that a program does in this order, on one connection if it can.
var labSteps = []string{"COPY", "GET", "PROPFIND", "MOVE", "DELETE", "GET"}

// labAnswers are the lines for successful steps.
var labAnswers = map[string]string{
	"COPY":     "COPY 201",
	"GET":      "GET 200 content of file 7",
	"PROPFIND": fmt.Sprintf("PROPFIND 207 %d", 1+labListed),
	"MOVE":     "MOVE 201",
	"DELETE":   "DELETE 204",
}

// The cells for correct results. The cell of a failure begins with labFails.
const (
	labWith    = "right, with 102"
	labWithout = "right, none sent"
	labFails   = "fails: "
	labNone    = "has none"
)

// A labRun is one run of a program with its own davd.
type labRun struct {
	url     string // of davd or the proxy in front of it, without the slash at the end
	dir     string // for the program's files
	timeout time.Duration
	ask     bool // send Prefer: processing, if the program can
	proxied bool // by a proxy, which may close connections at any time
	steps   []string
}

// A labProgram does the steps and returns a line for each.
type labProgram func(t *testing.T, r labRun) []string

// A labCase describes how to get a cell of the matrix.
type labCase struct {
	row, column string
	remark      string // written in front of the cell
	// flags are additional flags of davd.
	flags   []string
	ask     bool
	steps   []string // nil means all
	timeout time.Duration
	// front, if not nil, starts the proxy between the program and davd, and returns its URL.
	front func(t *testing.T, upstream string) string
	run   labProgram
	// big says that the program copies a file, because it can't copy a collection.
	big bool
	tls bool
	// latency is the latency of the storage; "" means labLatency.
	latency string
}

// play runs c and returns its cell.
func (c labCase) play(t *testing.T) string {
	t.Helper()
	if err := mountPermitted(); err != nil {
		summary.skip(t, c.row+", "+c.column, err)
	}
	dir := publicDir(t)
	share := filepath.Join(dir, "share")
	steps := c.steps
	if steps == nil {
		steps = labSteps
	}
	want := fillLab(t, share, c.big, steps)
	flags := append([]string{"--latency", cmp.Or(c.latency, labLatency)}, c.flags...)
	if c.tls {
		flags = append(flags, selfSigned(t, dir)...)
	}
	davd := serve(t, append(flags, share)...)
	run := labRun{url: davd.url, dir: dir, timeout: c.timeout, ask: c.ask, steps: steps}
	if c.front != nil {
		run.proxied, run.url = true, c.front(t, strings.TrimPrefix(davd.url, "http://"))
	}
	lines := c.run(t, run)
	davd.stop() // then its log is complete
	t.Logf("%s\n%s", strings.Join(lines, "\n"), davd.log)
	for i, step := range steps {
		if i >= len(lines) || lines[i] != labAnswers[step] {
			return labFails + cmp.Or(strings.Join(lines[min(i, len(lines)):min(i+1, len(lines))], ""), "no "+step)
		}
	}
	if len(steps) > 1 {
		wantContents(t, share, want)
	}
	return helped(steps, davd.log.String())
}

var interimLine = regexp.MustCompile(`method=(COPY|MOVE|DELETE) .* interim=[1-9]`)

// helped returns the cell of a successful run. It does not require a 102 for PROPFIND, whose answer
// may begin before one is due.
func helped(steps []string, log string) string {
	sent := make(map[string]bool)
	for _, match := range interimLine.FindAllStringSubmatch(log, -1) {
		sent[match[1]] = true
	}
	var without []string
	for _, step := range steps {
		if slices.Contains([]string{"COPY", "MOVE", "DELETE"}, step) && !sent[step] {
			without = append(without, step)
		}
	}
	switch {
	case len(sent) == 0:
		return labWithout
	case len(without) > 0:
		return labWith + ", but none for " + strings.Join(without, ", ")
	}
	return labWith
}

// check runs c and adds its cell to the matrix. The cell must begin with want.
func (c labCase) check(t *testing.T, want string) {
	t.Helper()
	got := c.play(t)
	matrix.note(c.row, c.column, c.remark+got)
	if want == "" || !strings.HasPrefix(got, want) {
		t.Errorf("%s, %s: %q, want %q", c.row, c.column, got, want)
	}
}

// missing returns an error if one of needs, which are programs or files, is missing.
func missing(needs []string) error {
	for _, need := range needs {
		_, err := exec.LookPath(need)
		if err != nil && filepath.IsAbs(need) {
			_, err = os.Stat(need)
		}
		if err != nil {
			return errors.New(filepath.Base(need) + " is not installed")
		}
	}
	return nil
}

// fillLab creates the files for the steps. It returns the contents that share should have after
// them.
func fillLab(t *testing.T, share string, big bool, steps []string) map[string]string {
	t.Helper()
	for name, count := range map[string]int{"src": labCopied, "moving": labMoved, "deleting": labDeleted, "list": labListed} {
		writeFiles(t, filepath.Join(share, name), count)
	}
	if err := os.WriteFile(filepath.Join(share, "big"), []byte(strings.Repeat("davd\n", labBig/5)), 0o644); err != nil {
		t.Fatal(err)
	}
	mountTmpfs(t, filepath.Join(share, "other"))
	want := contents(t, share)
	if big {
		want["copied"] = want["big"]
	}
	for name, content := range contents(t, share) {
		first, rest, _ := strings.Cut(name, "/")
		switch {
		case first == "src" && !big:
			want[filepath.Join("copied", rest)] = content
		case first == "moving" && slices.Contains(steps, "MOVE"):
			want[filepath.Join("other", "moved", rest)] = content
			delete(want, name)
		case first == "deleting" && slices.Contains(steps, "DELETE"):
			delete(want, name)
		}
	}
	return want
}

// publicDir returns a directory that every user may write to, because some servers give up root's
// permissions.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	return dir
}

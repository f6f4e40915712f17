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

// wholeLab is for make litmus, which installs what it can: without it only the
// rows run whose programs .ci/deps has installed.
var wholeLab = flag.Bool("lab", false, "run every row of the matrix of clients and proxies")

// matrixPage gets the table of -lab, between two lines that mark its place.
var matrixPage = flag.String("lab.page", "", "the page whose matrix is to be replaced")

// The pace of the lab. An operation takes three to five seconds on storage of
// labLatency with GOMAXPROCS=2 (see serve): longer than labTimeout, and with
// more interim responses than the least that some program survives, which are
// eight (java.net.http) and nine (Apache).
const (
	labLatency = "50ms"
	labSlow    = "200ms" // four times as long
	labAfter   = "200ms"
	labEvery   = "300ms"
	// labTimeout is the read time-out of a client or proxy, where it has one;
	// more than the second that is the least between two 102 that were asked for.
	labTimeout = 2 * time.Second
	// labPatience is the read time-out where the time-out is not the question.
	labPatience = 20 * time.Second
)

// The sizes of what is copied, moved, deleted and listed, in files, and of the
// file that is copied by programs that copy no collection, in bytes.
const (
	labCopied, labMoved, labDeleted, labListed = 26, 14, 26, 1200
	labBig                                     = 800 << 10
)

// What a program is to do, one after the other, on one connection if it can.
var labSteps = []string{"COPY", "GET", "PROPFIND", "MOVE", "DELETE", "GET"}

// labAnswers are the lines that say that a step went well.
var labAnswers = map[string]string{
	"COPY":     "COPY 201",
	"GET":      "GET 200 content of file 7",
	"PROPFIND": fmt.Sprintf("PROPFIND 207 %d", 1+labListed),
	"MOVE":     "MOVE 201",
	"DELETE":   "DELETE 204",
}

// The cells of a row that is right; one that is not begins with labFails.
const (
	labWith    = "right, with 102"
	labWithout = "right, none sent"
	labFails   = "fails: "
	labNone    = "has none"
)

// A labRun is one program that talks to a davd of its own.
type labRun struct {
	url     string // of davd or of the proxy in front of it, without the slash at the end
	dir     string // the program's own
	timeout time.Duration
	ask     bool // with Prefer: processing, if it can
	proxied bool // by something that may end a connection when it likes
	steps   []string
}

// A labProgram does the steps and returns a line for each.
type labProgram func(t *testing.T, r labRun) []string

// A labCase is a cell of the matrix and how it comes about.
type labCase struct {
	row, column string
	remark      string // stands before the cell
	// flags are davd's, beside those that make it slow.
	flags   []string
	ask     bool
	steps   []string // nil: all
	timeout time.Duration
	// front starts what stands between the program and davd, if anything does.
	front func(t *testing.T, upstream string) string
	run   labProgram
	// big: the program copies no collection, but a file.
	big bool
	tls bool
	// latency is that of the storage; "": labLatency.
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
	davd.stop() // when all is logged
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

// helped is the cell of a run in which all went well. A PROPFIND's answer may
// begin before a 102 is due.
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

// check runs c, whose cell must begin with want, and notes it.
func (c labCase) check(t *testing.T, want string) {
	t.Helper()
	got := c.play(t)
	matrix.note(c.row, c.column, c.remark+got)
	if want == "" || !strings.HasPrefix(got, want) {
		t.Errorf("%s, %s: %q, want %q", c.row, c.column, got, want)
	}
}

// missing says which of needs are not there: programs, or files.
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

// fillLab makes what the steps are about, and returns what is there after them.
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

// publicDir returns a directory that every user may write to: some servers
// leave root behind.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	return dir
}

package litmus

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// An outcome is litmus's verdict on a test.
type outcome string

// The outcomes. A warning is less than a failure.
const (
	pass    outcome = "pass"
	failed  outcome = "FAIL"
	warning outcome = "WARNING"
	skipped outcome = "SKIPPED"
)

// A testID identifies a test by its number in the suite and its name. Several tests of a suite may
// have the same name.
type testID struct {
	suite  string
	number int
	name   string
}

func (id testID) String() string { return fmt.Sprintf("%s %d %s", id.suite, id.number, id.name) }

// A result is an outcome with litmus's explanation.
type result struct {
	outcome outcome
	says    string
}

// A suiteRun has the results of a run of a suite.
type suiteRun struct {
	results map[testID]result
	order   []testID
}

// litmus writes
//
//	" 3. put_get............... pass"
//	"18. cond_put_corrupt_token WARNING: PUT failed with 412 not 423"
//	"    ...................... pass (with 1 warning)"
//
// and it writes each test's line twice. The first one has no outcome, and ends with a carriage
// return instead of a newline.
var (
	testLine    = regexp.MustCompile(`^ *(\d+)\. (\w+)\.* (pass|FAIL|WARNING|SKIPPED)\b:? ?(.*)$`)
	summaryLine = regexp.MustCompile("^<- summary for `(\\w+)': of (\\d+) tests run: (\\d+) passed, (\\d+) failed")
)

// parseSuite parses the output of a suite. It compares the results with the suite's own summary, so
// that no test is overlooked.
func parseSuite(suite, output string) (suiteRun, error) {
	run := suiteRun{results: make(map[testID]result)}
	var summary []string
	for line := range strings.SplitSeq(strings.ReplaceAll(output, "\r", "\n"), "\n") {
		if match := summaryLine.FindStringSubmatch(line); match != nil {
			summary = match
		}
		match := testLine.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		number, err := strconv.Atoi(match[1])
		if err != nil {
			return run, err
		}
		id := testID{suite, number, match[2]}
		if _, twice := run.results[id]; twice {
			return run, fmt.Errorf("two results of %s", id)
		}
		run.results[id] = result{outcome(match[3]), strings.Trim(match[4], "() ")}
		run.order = append(run.order, id)
	}
	if summary == nil {
		return run, fmt.Errorf("%s has no summary: it did not end\n%s", suite, output)
	}
	passed, ran, _ := run.count()
	if want := fmt.Sprintf("%s: %d of %d", summary[1], passed, ran); want != fmt.Sprintf("%s: %s of %s", suite, summary[3], summary[2]) {
		return run, fmt.Errorf("read %s passed, but: %s\n%s", want, summary[0], output)
	}
	if last := run.order[len(run.order)-1]; last.name != "finish" {
		return run, fmt.Errorf("%s ended with %s", suite, last)
	}
	return run, nil
}

// imperfect returns the tests that did not pass, or passed with a warning.
func (r suiteRun) imperfect() (wrong []string) {
	for _, id := range r.order {
		if got := r.results[id]; got.outcome != pass {
			wrong = append(wrong, fmt.Sprintf("%s: %s (%s)", id, got.outcome, got.says))
		}
	}
	return wrong
}

// count counts like litmus: a skipped test did not run, and a test with a warning has passed.
func (r suiteRun) count() (passed, ran, left int) {
	for _, result := range r.results {
		switch result.outcome {
		case skipped:
			left++
			continue
		case pass, warning:
			passed++
		}
		ran++
	}
	return passed, ran, left
}

// figures returns the counts in the form "passed/run (n skipped)".
func (r suiteRun) figures() string {
	passed, ran, left := r.count()
	figures := fmt.Sprintf("%d/%d", passed, ran)
	if left > 0 {
		figures += fmt.Sprintf(" (%d skipped)", left)
	}
	return figures
}

func TestParseSuite(t *testing.T) {
	t.Parallel()
	output := "-> running `http':\n\r 0. init.................. \r 0. init.................. pass\n" +
		"\r 1. a_name_with_22_letters \r 1. a_name_with_22_letters WARNING: hm\n    ...................... pass (with 1 warning)\n" +
		"\r 2. twice................. \r 2. twice................. FAIL (`/x': 403 Forbidden\n)\n" +
		"\r 3. twice................. \r 3. twice................. SKIPPED\n" +
		"\r 4. finish................ \r 4. finish................ pass\n" +
		"-> 1 test was skipped.\n<- summary for `http': of 4 tests run: 3 passed, 1 failed. 75.0%\n"
	run, err := parseSuite("http", output)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := run.figures(), "3/4 (1 skipped)"; got != want {
		t.Errorf("figures %q, want %q", got, want)
	}
	if wrong := run.imperfect(); len(wrong) != 3 {
		t.Errorf("%q, want the warning, the failure and the one skipped", wrong)
	}
	if _, err := parseSuite("http", output[:len(output)/2]); err == nil {
		t.Error("a suite that did not end was read without an error")
	}
}

package litmus

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// An expectation is a line of expect.txt: a test that is known not to pass.
type expectation struct {
	id      testID
	outcome outcome
	storage string // or "all"
	reason  string
	line    int
}

// covers reports whether e speaks of the test id on that storage.
func (e expectation) covers(id testID, storage string) bool {
	return e.id == id && (e.storage == "all" || e.storage == storage)
}

func readExpectations(t *testing.T, file string) []expectation {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []expectation
	lines := bufio.NewScanner(f)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := parseExpectation(line)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, number, err)
		}
		e.line = number
		list = append(list, e)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for _, storage := range storages {
		seen := make(map[testID]int)
		for _, e := range list {
			if !e.covers(e.id, storage) {
				continue
			}
			if first := seen[e.id]; first != 0 {
				t.Fatalf("%s: lines %d and %d both speak of %s on %s", file, first, e.line, e.id, storage)
			}
			seen[e.id] = e.line
		}
	}
	return list
}

// parseExpectation reads
//
//	suite number name outcome storage reason in words
func parseExpectation(line string) (expectation, error) {
	fields := strings.Fields(line)
	if len(fields) < 6 {
		return expectation{}, fmt.Errorf("%d fields, want: suite, number, name, outcome, storage, reason", len(fields))
	}
	number, err := strconv.Atoi(fields[1])
	e := expectation{
		id: testID{fields[0], number, fields[2]}, outcome: outcome(fields[3]),
		storage: fields[4], reason: strings.Join(fields[5:], " "),
	}
	switch {
	case err != nil:
		return e, err
	case !slices.Contains(litmusSuites, e.id.suite):
		return e, fmt.Errorf("there is no suite %s", e.id.suite)
	case !slices.Contains([]outcome{failed, warning, skipped}, e.outcome):
		return e, fmt.Errorf("%s is none of FAIL, WARNING, SKIPPED", e.outcome)
	case e.storage != "all" && !slices.Contains(storages, e.storage):
		return e, fmt.Errorf("%s is neither all nor one of %v", e.storage, storages)
	}
	return e, nil
}

// compare returns in what way the run of suite differs from what is expected
// on storage: in either direction, so that the list can't rot.
func compare(run suiteRun, suite, storage string, expected []expectation) (wrong []string) {
	for _, id := range run.order {
		got := run.results[id]
		want := pass
		if i := slices.IndexFunc(expected, func(e expectation) bool { return e.covers(id, storage) }); i >= 0 {
			want = expected[i].outcome
		}
		switch got.outcome {
		case want:
		case pass:
			wrong = append(wrong, fmt.Sprintf("%s passes, but expect.txt says %s: take the line out", id, want))
		default:
			wrong = append(wrong, fmt.Sprintf("%s: %s (%s), want %s", id, got.outcome, got.says, want))
		}
	}
	for _, e := range expected {
		if _, ran := run.results[e.id]; e.id.suite == suite && !ran {
			wrong = append(wrong, fmt.Sprintf("expect.txt:%d: there is no test %s", e.line, e.id))
		}
	}
	return wrong
}

func TestCompare(t *testing.T) {
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
	expect := func(lines ...string) (list []expectation) {
		for _, line := range lines {
			e, err := parseExpectation(line)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, e)
		}
		return list
	}
	all := []string{"http 1 a_name_with_22_letters WARNING all so", "http 2 twice FAIL dir so", "http 3 twice SKIPPED all so"}
	for _, test := range []struct {
		name    string
		storage string
		lines   []string
		wrong   int
	}{
		{"all listed", "dir", all, 0},
		{"another storage", "mem", all, 1},
		{"one not listed", "dir", all[:2], 1},
		{"one passes", "dir", append(all, "http 4 finish FAIL all so"), 1},
		{"one is of another kind", "dir", append(all[:2:2], "http 3 twice FAIL all so"), 1},
		{"one does not exist", "dir", append(all, "http 9 gone FAIL all so"), 1},
		{"one of another suite", "dir", append(all, "basic 9 gone FAIL all so"), 0},
	} {
		if wrong := compare(run, "http", test.storage, expect(test.lines...)); len(wrong) != test.wrong {
			t.Errorf("%s: %d differences, want %d: %q", test.name, len(wrong), test.wrong, wrong)
		}
	}
	if _, err := parseSuite("http", output[:len(output)/2]); err == nil {
		t.Error("a suite that did not end was read without an error")
	}
}

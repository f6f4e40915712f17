package litmus

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"text/tabwriter"
)

// summary is printed at the end of the run.
var summary summaryLines

type summaryLines struct {
	mu sync.Mutex
	// table has litmus's figures by suite and configuration.
	table  map[string]map[string]string
	lines  []string
	notRun []string
}

// cell records the figures of one suite in one configuration.
func (s *summaryLines) cell(suite, config, figures string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table == nil {
		s.table = make(map[string]map[string]string)
	}
	if s.table[suite] == nil {
		s.table[suite] = make(map[string]string)
	}
	s.table[suite][config] = figures
}

// line records a result that is interesting even if all tests have passed.
func (s *summaryLines) line(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// skip skips the test. The summary repeats the reason.
func (s *summaryLines) skip(t *testing.T, what string, reason error) {
	t.Helper()
	line := fmt.Sprintf("not run: %s: %v", what, reason)
	s.mu.Lock()
	if !slices.Contains(s.notRun, line) {
		s.notRun = append(s.notRun, line)
	}
	s.mu.Unlock()
	t.Skip(line)
}

func (s *summaryLines) print(w io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table != nil {
		s.printTable(w)
	}
	slices.Sort(s.lines)
	for _, line := range slices.Compact(s.lines) {
		fmt.Fprintln(w, line)
	}
	for _, line := range s.notRun {
		fmt.Fprintln(w, line)
	}
}

func (s *summaryLines) printTable(w io.Writer) {
	tab := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	defer tab.Flush()
	fmt.Fprint(tab, "litmus, passed/run")
	for _, config := range litmusConfigs {
		fmt.Fprint(tab, "\t", config.name())
	}
	fmt.Fprintln(tab)
	for _, suite := range litmusSuites {
		fmt.Fprint(tab, suite)
		for _, config := range litmusConfigs {
			figures := s.table[suite][config.name()]
			if figures == "" {
				figures = "-"
			}
			fmt.Fprint(tab, "\t", figures)
		}
		fmt.Fprintln(tab)
	}
}

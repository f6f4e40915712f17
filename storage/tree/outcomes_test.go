package tree_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/davd/davd/storage/tree"
)

// TestOutcomesEach: an outcome that one reader takes remains for the others. Each sees
// what came after it subscribed, and nothing after Close.
func TestOutcomesEach(t *testing.T) {
	mon := new(tree.Monitor)
	early := mon.Subscribe()
	mon.Resolve("/a", nil)
	late := mon.Subscribe()
	mon.Resolve("/b", nil)
	if got := early.Take(); !slices.Equal(got, []tree.Outcome{{Name: "/a"}, {Name: "/b"}}) {
		t.Errorf("the first got %v", got)
	}
	if got := late.Take(); !slices.Equal(got, []tree.Outcome{{Name: "/b"}}) {
		t.Errorf("the second got %v", got)
	}
	early.Close()
	early.Close()
	mon.Resolve("/c", nil)
	if got := early.Take(); len(got) > 0 {
		t.Errorf("after Close there is %v", got)
	}
	if got := late.Take(); !slices.Equal(got, []tree.Outcome{{Name: "/c"}}) {
		t.Errorf("the second got %v", got)
	}
	var none *tree.Outcomes
	none.Close()
	if got := none.Take(); len(got) > 0 {
		t.Errorf("nil has %v", got)
	}
}

// TestOutcomesSoFar: a reader that subscribes late learns of the earlier failures.
func TestOutcomesSoFar(t *testing.T) {
	mon, errBad := new(tree.Monitor), errors.New("bad")
	mon.Resolve("/bad", errBad)
	mon.Resolve("/good", nil)
	late := mon.Subscribe()
	mon.Resolve("/c", nil)
	for _, want := range [][]tree.Outcome{{{Name: "/bad", Err: errBad}, {Name: "/c"}}, nil} {
		if got := late.Take(); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestMonitorFailures: failures are kept even when readers take outcomes, a thousand of
// them by name.
func TestMonitorFailures(t *testing.T) {
	mon, errBad := new(tree.Monitor), errors.New("bad")
	taken := mon.Subscribe()
	for i := range 1500 {
		mon.Resolve(fmt.Sprintf("/%04d", i), errBad)
		mon.Resolve("/good", nil)
		taken.Take()
	}
	named, total := mon.Failures()
	if len(named) != 1000 || total != 1500 || named[0].Name != "/0000" || named[999].Name != "/0999" {
		t.Errorf("%d of %d: %v to %v", len(named), total, named[0], named[len(named)-1])
	}
	if named, total := (*tree.Monitor)(nil).Failures(); len(named) > 0 || total != 0 {
		t.Errorf("nil has %v", named)
	}
}

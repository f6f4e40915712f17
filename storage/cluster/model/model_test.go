package model_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/davd/davd/storage/storagetest/sweep"
)

// check lets Spin examine all states of the model, and returns pan's report.
func check(t *testing.T, table string, defines ...string) []byte {
	t.Helper()
	model, err := filepath.Abs("cluster.pml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(program string, args ...string) []byte {
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v (.ci/deps installs what is missing)\n%s", program, err, out)
		}
		return out
	}
	run("spin", append(defines, "-a", model)...)
	run("gcc", "-O1", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c")
	return run("./pan", "-m10000", table)
}

// TestModel checks that there is no error with two nodes, or with three in a sweep.
func TestModel(t *testing.T) {
	t.Parallel()
	nodes, table := "-DNODES=2", "-w20"
	if sweep.All() {
		nodes, table = "-DNODES=3", "-w26" // This takes 1 GB.
	}
	report := check(t, table, nodes)
	if !bytes.Contains(report, []byte("errors: 0")) || bytes.Contains(report, []byte("not completed")) {
		t.Errorf("%s", report)
	}
}

var mutations = []string{
	"NO_FENCE", "CHECK_FIRST", "UNNAMED", "LATE_STAGE", "NO_GATE", "MEMBERS",
	"NO_EPOCH", "STALE_LOCK", "RELEASE_FIRST", "LOOK_FIRST", "GUESS", "KEEP_GATE",
}

// TestMutations checks that each rule of the protocol is needed.
func TestMutations(t *testing.T) {
	t.Parallel()
	for _, mutation := range sweep.Sample(t, mutations, 3) {
		t.Run(mutation, func(t *testing.T) {
			t.Parallel()
			report := check(t, "-w20", "-DNODES=2", "-D"+mutation)
			if !bytes.Contains(report, []byte("errors: 1")) || !bytes.Contains(report, []byte("assertion violated")) {
				t.Errorf("no error was found:\n%s", report)
			}
		})
	}
}

// TestMutationsInModel checks that the model has each mutation.
func TestMutationsInModel(t *testing.T) {
	t.Parallel()
	model, err := os.ReadFile("cluster.pml")
	if err != nil {
		t.Fatal(err)
	}
	if missing := slices.DeleteFunc(slices.Clone(mutations), func(m string) bool {
		return bytes.Contains(model, []byte("("+m+")")) || bytes.Contains(model, []byte("def "+m+"\n"))
	}); len(missing) > 0 {
		t.Errorf("%q are missing", missing)
	}
}

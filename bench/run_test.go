package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRounds checks the order and the number of rounds, with two floors in place of servers.
func TestRounds(t *testing.T) {
	var order []string
	do := func(name string) func(context.Context, *trial) ([]time.Duration, error) {
		return timed(func(context.Context, *trial) error {
			order = append(order, name)
			time.Sleep(time.Second)
			return nil
		})
	}
	tests := []struct {
		name    string
		rounds  int
		seconds int // available time; 0 means no limit
		want    string
	}{
		{"each round begins with another", 3, 0, "a b b a a b"},
		{"until the time is over", 3, 3, "a b b a"},
		{"at least one", 3, 1, "a b"},
		{"one even if it is late", 3, -1, "a b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				order = nil
				w := &work{measures: seconds, floors: []floor{{name: "a", do: do("a")}, {name: "b", do: do("b")}}}
				r := &run{place: &place{share: t.TempDir()}, servers: &servers{}, rounds: test.rounds, results: map[*work]map[string]*outcome{}}
				if test.seconds != 0 {
					r.end = time.Now().Add(time.Duration(test.seconds) * time.Second)
				}
				if err := r.work(t.Context(), w, r.until(1)); err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(order, " "); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
				if got := r.results[w]["a"].samples[0]; len(got) != len(order)/2 || median(got) != time.Second {
					t.Errorf("the samples are %v", got)
				}
			})
		})
	}
}

func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &run{end: time.Now().Add(time.Minute)}
		if got := time.Until(r.until(6)); got != 10*time.Second {
			t.Errorf("one of six works in a minute has %v", got)
		}
	})
}

// TestLeftovers checks that files that a server leaves in the share are found and removed.
func TestLeftovers(t *testing.T) {
	tr := &trial{place: &place{share: t.TempDir()}}
	for _, name := range []string{manyName, ".davd-1"} {
		if err := os.Mkdir(tr.in(name), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	left, err := tr.leftovers()
	if err != nil || len(left) != 1 || left[0] != ".davd-1" {
		t.Errorf("got %v, %v", left, err)
	}
	if left, err := tr.leftovers(); err != nil || left != nil {
		t.Errorf("then %v, %v", left, err)
	}
}

// TestCheckTree checks that checkTree detects incomplete and wrong copies.
func TestCheckTree(t *testing.T) {
	small := layout{collections: 2, files: 100, size: 10}
	tests := []struct {
		name   string
		change func(dir string) error
		want   string
	}{
		{"whole", func(string) error { return nil }, ""},
		{"a file is missing", func(dir string) error { return os.Remove(filepath.Join(dir, "c0001", "f00007.txt")) }, "wrong: 202 of 203 members"},
		{"a collection is missing", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "c0000")) }, "wrong: 102 of 203 members"},
		{"a file is cut off", func(dir string) error { return os.Truncate(filepath.Join(dir, "c0000", "f00000.txt"), 3) }, "wrong: a file of 3 bytes"},
		{"different content", func(dir string) error {
			for i := range small.files { // checkTree reads one in a hundred
				if err := os.WriteFile(filepath.Join(dir, "c0001", "f"+pad(i)+".txt"), make([]byte, small.size), 0o600); err != nil {
					return err
				}
			}
			return nil
		}, "wrong: different content"},
		{"nothing", os.RemoveAll, "broke"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			src, dst := filepath.Join(t.TempDir(), "src"), filepath.Join(t.TempDir(), "dst")
			if err := errors.Join(small.plant(src), copyTree(src, dst, 2), test.change(dst)); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := checkTree(src, dst, small); err != nil {
				got = failure(err)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	t.Run("the floor counts the same", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "src")
		if err := small.plant(dir); err != nil {
			t.Fatal(err)
		}
		if n, err := walk(dir); err != nil || n != small.members() {
			t.Errorf("got %d, %v; want %d", n, err, small.members())
		}
	})
}

func pad(i int) string { return strings.Repeat("0", 5-len(strconv.Itoa(i))) + strconv.Itoa(i) }

func TestAfterSlash(t *testing.T) {
	for text, want := range map[string]string{
		"Server version: Apache/2.4.71 (Debian)\nServer built:   2026": "2.4.71",
		"nginx version: nginx/1.22.1\n":                                "1.22.1",
		"lighttpd/1.4.69 (ssl) - a light and fast webserver\n":         "1.4.69",
		"nothing of the kind":                                          "?",
	} {
		if got := afterSlash(text); got != want {
			t.Errorf("got %q of %q", got, text)
		}
	}
}

func TestFlags(t *testing.T) {
	tests := []struct {
		name, args, bad      string
		works, peers, rounds int
	}{
		{"none", "", "", len(allWorks()), len(allPeers()) - 3, 5},
		{"one work", "-run ^MOVE", "", 1, len(allPeers()) - 3, 5},
		{"one server, and davd", "-servers ^nginx$ -rounds 2", "", len(allWorks()), 2, 2},
		{"rclone, which -servers must name", "-servers rclone", "", len(allWorks()), 2, 5},
		{"davd alone", "-servers ^davd$", "", len(allWorks()), 1, 5},
		{"quick", "-quick -run 100,000", "", 0, len(allPeers()) - 3, 3},
		{"a bad number", "-rounds -1", "-rounds -1: write a number above 0", 0, 0, 0},
		{"a bad expression", "-run (", "-run: ", 0, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			flags := flag.NewFlagSet("bench", flag.ContinueOnError)
			flags.SetOutput(io.Discard)
			read := defineFlags(flags)
			if err := flags.Parse(strings.Fields(test.args)); err != nil {
				t.Fatal(err)
			}
			o, err := read()
			if test.bad != "" {
				if err == nil || !strings.HasPrefix(err.Error(), test.bad) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || len(o.works()) != test.works || len(o.peers()) != test.peers || o.rounds != test.rounds {
				t.Errorf("got %d works, %d servers, %d rounds, %v", len(o.works()), len(o.peers()), o.rounds, err)
			}
		})
	}
}

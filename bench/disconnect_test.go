package main

import (
	"errors"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage/latency"
	"github.com/davd/davd/storage/local"
)

// TestDisconnect measures a davd that undoes the COPY, and detects one that does not.
func TestDisconnect(t *testing.T) {
	d := disconnect{source: manyName, tree: layout{collections: 20, files: 10, size: 10}, displaced: layout{collections: 1, files: 2, size: 10}}
	tests := []struct {
		name   string
		undoes bool
		change func(t *trial) error
		want   string
	}{
		{"undone", true, nil, ""},
		{"finished", false, nil, "wrong: 221 of 4 members"},
		{"a stage is left", true, func(t *trial) error { return os.Mkdir(t.in(stagePrefix+"1"), 0o750) }, "wrong: a stage is left"},
		{"members are missing at the destination", true, func(t *trial) error { return os.Remove(t.in(copyName + "/c0000/f00001.txt")) }, "wrong: 3 of 4 members"},
		{"the destination is missing", true, func(t *trial) error { return t.remove(copyName) }, "broke"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tr := trialOn(t, &dav.Handler{CancelWhenGone: test.undoes}, time.Millisecond)
			if err := errors.Join(d.tree.plant(tr.in(d.source)), d.before(tr)); err != nil {
				t.Fatal(err)
			}
			took, err := d.run(t.Context(), tr)
			if err != nil || took <= 0 {
				t.Fatalf("took %v: %v", took, err)
			}
			if test.change != nil {
				if err := test.change(tr); err != nil {
					t.Fatal(err)
				}
			}
			got := ""
			if err := d.check(tr); err != nil {
				got = failure(err)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// trialOn returns a trial with one connection to a davd whose storage calls take delay.
func trialOn(t *testing.T, h *dav.Handler, delay time.Duration) *trial {
	t.Helper()
	tr := &trial{place: &place{share: t.TempDir()}}
	fsys, err := local.Open(tr.share)
	if err != nil {
		t.Fatal(err)
	}
	h.FileSystem = latency.New(fsys, delay)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	tr.server = &server{addr: strings.TrimPrefix(s.URL, "http://")}
	t.Cleanup(func() { tr.disconnect() })
	if err := tr.connect(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	return tr
}

package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/dav"
)

// TestProbes has a davd answer small requests while long ones run.
func TestProbes(t *testing.T) {
	small := layout{collections: 5, files: 10, size: 10}
	tests := []struct {
		name string
		send func(name string) func(context.Context, *trial) error
		file []byte // small.txt
		want string
	}{
		{"DELETE", deleteCollection, smallContent, ""},
		{"a long one fails", copyCollection, smallContent, "404"}, // the source does not exist
		{"small ones are wrong", deleteCollection, []byte("?"), "wrong: different content"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := longRequests{
				send:   test.send,
				before: func(t *trial, name string) error { return small.plant(t.in(name)) },
				check:  func(t *trial, name string) error { return gone(t.in(name)) },
			}
			w := l.times(2, "two run")
			tr := trialOn(t, &dav.Handler{}, time.Millisecond)
			if err := errors.Join(os.WriteFile(tr.in(smallName), test.file, 0o600), w.before(tr)); err != nil {
				t.Fatal(err)
			}
			if err := w.check(tr); err == nil {
				t.Error("the work was done before it began")
			}
			if err := tr.connect(t.Context(), w.conns-1); err != nil {
				t.Fatal(err)
			}
			figures, err := w.do(t.Context(), tr)
			if err == nil {
				err = w.check(tr)
			}
			got := ""
			if err != nil {
				got = failure(err)
			}
			if got != test.want {
				t.Fatalf("got %q, %v; want %q", got, err, test.want)
			}
			if err != nil {
				return
			}
			if len(figures) != len(w.measures) {
				t.Fatalf("%d figures of %d measures", len(figures), len(w.measures))
			}
			for i, m := range w.measures {
				if figures[i] <= 0 || strings.HasSuffix(m.name, "longest") && figures[i] < figures[i+1] {
					t.Errorf("%s: %v of %v", m.name, figures[i], figures)
				}
			}
		})
	}
}

// TestProbe has an answer that takes 22 ms, during which others are due.
func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		sent := 0
		send := func(context.Context, *client) error {
			if sent++; sent == 2 {
				time.Sleep(22 * ms)
			}
			if sent == 7 {
				close(done)
			}
			return nil
		}
		got, err := probe(t.Context(), nil, send, done)
		want := []time.Duration{0, 22 * ms, 17 * ms, 12 * ms, 7 * ms, 2 * ms, 0}
		if err != nil || len(got) != len(want) {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("got %v, want %v", got, want)
			}
		}
	})
}

// TestWaitInTurns checks the floor of slow storage.
func TestWaitInTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if waitInTurns(10, 4); time.Since(start) != 3*slowDelay {
			t.Errorf("ten calls of four workers took %v", time.Since(start))
		}
	})
}

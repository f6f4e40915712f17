package main

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// TestMain lets the tests start this program as a server.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == asEmpty {
		if err := dispatch(context.Background(), nil, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// TestRestart checks that a server that did not answer in time is restarted before the next
// work, and that one that gave a wrong answer is not.
func TestRestart(t *testing.T) {
	tests := []struct {
		name, failure string
		err           error
		restarted     bool
	}{
		{"in time", "", nil, false},
		{"a wrong answer", "wrong: cut off", &wrongError{"cut off"}, false},
		{"a refusal", "403", &refusal{403}, false},
		{"no answer", "none in 2m0s", context.DeadlineExceeded, true},
		{"a broken connection", "broke", errLost, true},
	}
	p, err := placeAt(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p.owner = owner{uid: os.Geteuid(), gid: os.Getegid()} // other users can't enter the directory of a test
	if err := installSelf(p); err != nil {
		t.Fatal(err)
	}
	s, err := startPeer(t.Context(), p, emptyHandler())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := s.pid()
			w := &work{measures: seconds, do: func(context.Context, *trial) ([]time.Duration, error) {
				return []time.Duration{ms}, test.err
			}}
			r := &run{place: p, servers: &servers{peers: []*server{s}}, rounds: 1, results: map[*work]map[string]*outcome{}}
			if err := r.work(t.Context(), w, time.Time{}); err != nil {
				t.Fatal(err)
			}
			if got := r.results[w][emptyName].failure; got != test.failure {
				t.Errorf("the table says %q, want %q", got, test.failure)
			}
			if restarted := s.pid() != before; restarted != test.restarted {
				t.Errorf("restarted: %v, want %v", restarted, test.restarted)
			}
			if err := s.ended(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRcloneVersion(t *testing.T) {
	for text, want := range map[string]string{"rclone v1.60.1-DEV\n- os/version: debian 12": "1.60.1-DEV", "rclone": "?", "": "?"} {
		if got := rcloneVersion(text); got != want {
			t.Errorf("got %q of %q, want %q", got, text, want)
		}
	}
}

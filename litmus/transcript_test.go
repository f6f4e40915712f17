package litmus

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"sync"
)

// A transcript records the output of a program. Tests can wait for a part of it.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // closed by the next Write
}

func newTranscript() *transcript { return &transcript{grown: make(chan struct{})} }

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text.Write(p)
	close(t.grown)
	t.grown = make(chan struct{})
	return len(p), nil
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// await waits until pattern matches, and returns the first match and its groups.
func (t *transcript) await(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	for {
		t.mu.Lock()
		match, grown := pattern.FindStringSubmatch(t.text.String()), t.grown
		t.mu.Unlock()
		if match != nil {
			return match, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, fmt.Errorf("no %s: %w", pattern, ctx.Err())
		}
	}
}

//go:build !windows

package share_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/share"
)

func TestLinked(t *testing.T) {
	base := t.TempDir()
	key := filepath.Join(base, "key.pem")
	dir := filepath.Join(base, "srv")
	inside := filepath.Join(dir, "sub", "other.pem")
	if err := errors.Join(os.MkdirAll(filepath.Dir(inside), 0o700), os.WriteFile(key, []byte("key"), 0o600),
		os.WriteFile(filepath.Join(dir, "copy.pem"), []byte("key"), 0o600)); err != nil {
		t.Fatal(err)
	}
	is := func(want string) {
		t.Helper()
		if got, err := share.Linked(t.Context(), dir, key); err != nil || got != want {
			t.Errorf("got %q, error %v, want %q", got, err, want)
		}
	}
	is("")
	if err := os.Link(key, key+".outside"); err != nil {
		t.Fatal(err)
	}
	is("")
	if err := os.Link(key, inside); err != nil {
		t.Fatal(err)
	}
	is(inside)
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := share.Linked(ended, dir, key); !errors.Is(err, context.Canceled) {
		t.Errorf("a search that is given up: %v", err)
	}
	if got, err := share.Linked(t.Context(), dir, filepath.Join(base, "none")); got != "" || err != nil {
		t.Errorf("no file: got %q, error %v", got, err)
	}
}

package shares_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/shares"
	"github.com/davd/davd/storage"
)

// memory remembers identities.
type memory map[string]string

func (m memory) ShareIdentity(_ context.Context, id string) (string, error) { return m[id], nil }

func (m memory) SetShareIdentity(_ context.Context, id, identity string) error {
	m[id] = identity
	return nil
}

// read returns the configuration with a share /a in dir.
func read(t *testing.T, dir string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "davd.yaml")
	if err := os.WriteFile(file, []byte("shares: {/a: {dir: "+dir+"}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.New(nil)
	if err := cfg.LoadFile(file); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestMoved checks when a share may be in an empty directory: if the configuration names another
// one than before, but not if the same one was replaced, as when a disk is unmounted.
func TestMoved(t *testing.T) {
	base := t.TempDir()
	one, other := filepath.Join(base, "one"), filepath.Join(base, "other")
	if err := errors.Join(os.Mkdir(one, 0o755), os.Mkdir(other, 0o755)); err != nil {
		t.Fatal(err)
	}
	remembered := memory{}
	open := func(dir string) error {
		s := &shares.Shares{Identities: remembered, Log: slog.New(slog.DiscardHandler)}
		if err := s.Open(t.Context(), read(t, dir)); err != nil {
			t.Fatal(err)
		}
		defer s.FS.Close()
		_, err := s.FS.Stat(t.Context(), "/a")
		return err
	}
	replace := func() {
		if err := errors.Join(os.Rename(one, filepath.Join(base, "gone")), os.Mkdir(one, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name, dir string
		before    func()
		want      error
	}{
		{"new and empty", one, func() {}, nil},
		{"unchanged", one, func() {}, nil},
		{"another directory, empty", other, func() {}, nil},
		{"back", one, func() {}, nil},
		{"replaced by an empty one", one, replace, storage.ErrUnavailable},
		{"with a file", one, func() {
			if err := os.WriteFile(filepath.Join(one, "file"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil},
	} {
		step.before()
		if err := open(step.dir); !errors.Is(err, step.want) || step.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", step.name, err, step.want)
		}
	}
}

// TestReported checks that the log says once that a share can't be used, and once that it can be
// used again.
func TestReported(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cfg := read(t, dir)
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &shares.Shares{Log: slog.New(slog.NewTextHandler(&log, nil))}
		if err := s.Open(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		ask := func(want error) {
			t.Helper()
			for range 3 {
				time.Sleep(2 * time.Second)
				if _, err := s.FS.Stat(t.Context(), "/a"); !errors.Is(err, want) || want == nil && err != nil {
					t.Errorf("%v, want %v", err, want)
				}
			}
		}
		ask(nil)
		if err := os.Rename(dir, dir+"-away"); err != nil {
			t.Fatal(err)
		}
		ask(storage.ErrUnavailable)
		if err := os.Rename(dir+"-away", dir); err != nil {
			t.Fatal(err)
		}
		ask(nil)
		if err := s.FS.Close(); err != nil {
			t.Error(err)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "can't be used;") || !strings.Contains(lines[1], "can be used again") {
			t.Errorf("the log is %s", log.String())
		}
	})
}

package state

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage/pgstate"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// TestOpenPostgres checks what davd keeps on its machine, and that two davd of one machine need
// different names.
func TestOpenPostgres(t *testing.T) {
	kept := t.TempDir()
	t.Setenv("STATE_DIRECTORY", kept)
	url := pgtest.Database(t)
	_, cfg := served(t, config.Defaults{"state": url, "node-name": "first"})
	if _, err := Find(cfg, true); err == nil || !strings.Contains(err.Error(), "no davd of this machine has used this --state") {
		t.Errorf("before it was served: error %v", err)
	}
	s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if filepath.Dir(s.Where) != kept || s.Kept != cfg.State.Shown() || s.StraysDir() != "" {
		t.Errorf("kept in %s, shown as %s, strays in %q", s.Where, s.Kept, s.StraysDir())
	}
	if found, err := Find(cfg, true); err != nil || found != s.Where {
		t.Errorf("found %s, error %v, want %s", found, err, s.Where)
	}
	if second, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "another davd uses it") {
		t.Errorf("a second davd with this name: %v, error %v", second, err)
	}
	cfg.NodeName = "second"
	second, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if second.Where == s.Where {
		t.Errorf("both use %s", s.Where)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if r, err := pgstate.Check(t.Context(), url); err != nil || r.Version == 0 || len(r.Problems) > 0 {
		t.Errorf("the check found %+v, error %v", r, err)
	}
}

// TestNodeInside checks that what davd keeps is out of reach for clients.
func TestNodeInside(t *testing.T) {
	dir, cfg := served(t, config.Defaults{"state": "postgres://davd@db/davd"})
	t.Setenv("STATE_DIRECTORY", filepath.Join(dir, "state"))
	if err := os.Mkdir(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	where, err := locate(cfg)
	if err != nil || filepath.Dir(where) != filepath.Join(cfg.Dir, hidden) {
		t.Errorf("got %s, error %v", where, err)
	}
}

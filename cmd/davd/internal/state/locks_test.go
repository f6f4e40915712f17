package state

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/sqlstate"
)

func TestFind(t *testing.T) {
	dir, cfg := served(t, config.Defaults{"state": "state*"})
	base := filepath.Dir(dir)
	if _, err := Find(cfg, true); err == nil || !strings.Contains(err.Error(), "no such state") {
		t.Errorf("before it was served: error %v", err)
	}
	s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	where := s.Where
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		dir   string
		state string
		named bool
		want  string
		says  string
	}{
		{"by its directory", dir, "state*", true, where, ""},
		{"by a link", "link", "state*", true, where, ""},
		{"the only one", "", "state*", false, where, ""},
		{"a file", "", where, false, where, ""},
		{"a file in the current directory", "", "here.db", false, filepath.Join(base, "here.db"), ""},
		{"another directory", base, "state*", true, "", "inside the served directory"},
		{"another state", dir, "statex", false, "", "no such state"},
		{"no file", "", "none.db", false, "", "no such state"},
		{"no directory", "none", "state*", true, "", "none"},
		{"in memory", "", "mem", false, "", "restart it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile("here.db", nil, 0o600); err != nil {
				t.Fatal(err)
			}
			cfg := config.New(config.Defaults{"state": tt.state})
			if err := cfg.Read(tt.dir); err != nil {
				t.Fatal(err)
			}
			got, err := Find(cfg, tt.named)
			if tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) || tt.says == "" && (err != nil || got != tt.want) {
				t.Errorf("got %q, error %v, want %q, %q", got, err, tt.want, tt.says)
			}
		})
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(where), "other.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Dir = "."
	if _, err := Find(cfg, false); err == nil || !strings.Contains(err.Error(), "the state of 2 served directories") {
		t.Errorf("one of two: error %v", err)
	}
}

// TestOpenLocks checks that the locks of a davd can be changed when it has ended, but not
// before.
func TestOpenLocks(t *testing.T) {
	_, cfg := served(t, config.Defaults{"state": "state"})
	s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Locks().Acquire(t.Context(), time.Now(), lock.Lock{Root: "/a", Duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlstate.Open(t.Context(), s.Where); err == nil || !strings.Contains(err.Error(), "in use by another davd") {
		t.Errorf("while it is open: error %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlstate.Open(t.Context(), s.Where)
	if err != nil {
		t.Fatal(err)
	}
	locks := db.Locks()
	found, err := locks.Find(t.Context(), time.Now(), "/", true)
	if err != nil || len(found) != 1 || found[0] != l {
		t.Errorf("got %v, error %v, want %v", found, err, l)
	}
	if err := errors.Join(locks.Release(t.Context(), time.Now(), l.Token), db.Close()); err != nil {
		t.Error(err)
	}
}

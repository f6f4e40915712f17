package state

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/deadprops"
	"github.com/davd/davd/storage/lock"
)

// served creates a directory, and a configuration that serves it through a symbolic link.
func served(t *testing.T, settings config.Defaults) (dir string, cfg *config.Config) {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(base, "files")
	link := filepath.Join(base, "link")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(dir, link)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(base)
	cfg = config.New(settings)
	if err := cfg.Read(link); err != nil {
		t.Fatal(err)
	}
	return dir, cfg
}

func TestOpenMemory(t *testing.T) {
	_, cfg := served(t, config.Defaults{"state": "mem", "locks-per-user": "1"})
	s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if s.Where != "" || s.Properties() == nil {
		t.Errorf("got %+v", s)
	}
	limited(t, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// limited checks that a second lock is refused.
func limited(t *testing.T, s *State) {
	t.Helper()
	for i, want := range []error{nil, lock.ErrLimit} {
		wanted := lock.Lock{Root: "/" + string(rune('a'+i)), Duration: time.Hour}
		if _, err := s.Locks().Acquire(t.Context(), time.Now(), wanted); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

// TestOpenTwice checks that a state survives being closed and opened again.
func TestOpenTwice(t *testing.T) {
	for _, tt := range []struct{ state, where string }{
		{"state/deep", "state/deep/files-*.db"},
		{"kept.db", "kept.db"},
		{"sqlite:state/kept", "state/kept"},
	} {
		t.Run(tt.state, func(t *testing.T) {
			_, cfg := served(t, config.Defaults{"state": tt.state, "locks-per-user": "1"})
			var where string
			for round := range 2 {
				s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				if match, _ := filepath.Match(mustAbs(t, tt.where), s.Where); !match || round == 1 && s.Where != where {
					t.Errorf("kept in %s, then in %s", where, s.Where)
				}
				where = s.Where
				props, _, err := s.Properties().Read(t.Context(), deadprops.Query{Names: []string{"/x"}})
				if err != nil || len(props["/x"]) != round {
					t.Errorf("got %v, error %v", props, err)
				}
				if round == 0 {
					limited(t, s)
					patch := webdav.Proppatch{Props: []webdav.Property{{InnerXML: []byte("1")}}}
					patch.Props[0].XMLName.Local = "p"
					if err := s.Properties().Patch(t.Context(), "/x", []webdav.Proppatch{patch}); err != nil {
						t.Error(err)
					}
				} else if found, err := s.Locks().Find(t.Context(), time.Now(), "/a", false); err != nil || len(found) != 1 {
					t.Errorf("got %v, error %v", found, err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// TestLocate checks that a directory has one database, whatever name it is served by.
func TestLocate(t *testing.T) {
	dir, cfg := served(t, config.Defaults{"state": "state"})
	want, err := locate(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, "files"} {
		cfg.Dir = name
		if got, err := locate(cfg); err != nil || got != want {
			t.Errorf("%s is kept in %s, error %v, want %s", name, got, err, want)
		}
	}
}

func TestOpenInside(t *testing.T) {
	for _, state := range []string{"files", "files/state", "link/state", "files/kept.db", "sqlite:files/kept"} {
		t.Run(state, func(t *testing.T) {
			dir, cfg := served(t, config.Defaults{"state": state})
			_, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), "inside the served directory") || !strings.Contains(err.Error(), "--state mem") {
				t.Errorf("got error %v", err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left: %v, error %v", left, err)
			}
		})
	}
}

// TestDefaultInside checks that a home directory can be served without --state, and that
// clients can't see the state.
func TestDefaultInside(t *testing.T) {
	home := t.TempDir()
	if os.Geteuid() == 0 {
		home = "/" // root's default is in /var/lib
	} else {
		t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	}
	file, err := locateDefault(home)
	if err != nil || filepath.Dir(file) != filepath.Join(home, hidden) || !storage.Reserved("/"+hidden) {
		t.Errorf("kept in %s, error %v", file, err)
	}
}

// TestServedInsideState serves a directory inside that of the state, which is allowed because
// clients can't see anything above the served directory.
func TestServedInsideState(t *testing.T) {
	dir, cfg := served(t, config.Defaults{"state": "."})
	s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(s.Where) != filepath.Dir(dir) {
		t.Errorf("kept in %s", s.Where)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenFails(t *testing.T) {
	_, cfg := served(t, config.Defaults{"state": "kept.db"})
	if err := os.WriteFile("kept.db", []byte("not a database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "kept.db") || !strings.Contains(err.Error(), "--state mem") {
		t.Errorf("got error %v", err)
	}
	if content, err := os.ReadFile("kept.db"); err != nil || string(content) != "not a database at all" {
		t.Errorf("the file has %q, error %v", content, err)
	}
}

package main

import (
	"errors"
	"log/slog"
	"os"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
	"github.com/davd/davd/cmd/davd/internal/setting"
	"github.com/davd/davd/cmd/davd/internal/state"
)

// TestNamePointsElsewhere checks that the actual addresses of the listeners count, not those
// that the host names had when CheckAccess looked them up.
func TestNamePointsElsewhere(t *testing.T) {
	t.Chdir(t.TempDir()) // the path of a socket must be short
	cfg := config.New(config.Defaults{"storage": "mem", "addr": "unix:s.sock,0.0.0.0:0"})
	if err := cfg.Read(""); err != nil {
		t.Fatal(err)
	}
	kept, err := state.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := &site{
		frontage: frontage{cfg: cfg, log: slog.New(slog.DiscardHandler)}, state: kept,
		ready: func([]*server.Listener) { t.Error("connections are accepted") },
	}
	err = s.serve(t.Context())
	if wrong, ok := errors.AsType[*setting.Error](err); !ok || wrong.Name != "addr" {
		t.Errorf("got error %v", err)
	}
	if _, err := os.Lstat("s.sock"); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

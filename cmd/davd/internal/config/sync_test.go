package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage"
)

// TestSyncShared: with a database that other machines use, content is written through to the disk
// unless the operator decides otherwise.
func TestSyncShared(t *testing.T) {
	const shared = "state: postgres://davd@host/davd\n"
	for _, test := range []struct {
		text string
		want storage.Sync
	}{
		{"", storage.SyncNever},
		{shared, storage.SyncClose},
		{shared + "fsync: never\n", storage.SyncNever},
		{shared + "fsync: always\n", storage.SyncAlways},
	} {
		file := filepath.Join(t.TempDir(), "davd.yaml")
		if err := os.WriteFile(file, []byte(test.text+"shares:\n  /f:\n    dir: "+t.TempDir()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := config.New(nil)
		if err := cfg.Setting("config").Set(file); err != nil {
			t.Fatal(err)
		}
		if err := cfg.Load(""); err != nil {
			t.Fatal(err)
		}
		if got := cfg.Shares[0].Sync; got != test.want || cfg.Handler.Sync != test.want {
			t.Errorf("%q: %s, and %s for the share, want %s", test.text, cfg.Handler.Sync, got, test.want)
		}
	}
}

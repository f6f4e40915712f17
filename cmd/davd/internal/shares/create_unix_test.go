//go:build unix

package shares_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/shares"
	"github.com/davd/davd/storage"
)

// TestCreatedDirectory checks that a directory that is created for a user, and its parents, have the
// owner, the group and the umask of the share.
func TestCreatedDirectory(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	uid, gid := os.Geteuid(), os.Getegid()
	keys := "umask: 027"
	if uid == 0 {
		uid, gid = 12345, 23456
		keys += fmt.Sprintf(", uid: %d, gid: %d", uid, gid)
	}
	base := t.TempDir()
	file := filepath.Join(base, "davd.yaml")
	text := "state: none\nusers: {ann: {password: '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='}}\nshares:\n" +
		"  '/home/{user}': {dir: 'home/{user}/files', create: true, " + keys + "}\n" +
		"  '/plain/{user}': {dir: 'plain/{user}', create: true}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.New(nil)
	if err := cfg.LoadFile(file); err != nil {
		t.Fatal(err)
	}
	s := &shares.Shares{Log: slog.New(slog.DiscardHandler)}
	if err := s.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	defer s.FS.Close()
	ctx := storage.WithPrincipal(t.Context(), "ann")
	check(ctx, t, s, "/home/ann", base, []string{"home", "home/ann", "home/ann/files"}, 0o750, uid, gid)
	check(ctx, t, s, "/plain/ann", base, []string{"plain", "plain/ann"}, 0o755, os.Geteuid(), os.Getegid())
}

// check asks for name, and compares the directories that this has created.
func check(ctx context.Context, t *testing.T, s *shares.Shares, name, base string, dirs []string, perm fs.FileMode, uid, gid int) {
	t.Helper()
	if _, err := s.FS.Stat(ctx, name); err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		info, err := os.Stat(filepath.Join(base, dir))
		if err != nil {
			t.Fatal(err)
		}
		stat := info.Sys().(*syscall.Stat_t) //nolint:forcetypeassert // it is one
		if info.Mode().Perm() != perm || int(stat.Uid) != uid || int(stat.Gid) != gid {
			t.Errorf("%s has %v of %d:%d, want %v of %d:%d", dir, info.Mode().Perm(), stat.Uid, stat.Gid, perm, uid, gid)
		}
	}
}

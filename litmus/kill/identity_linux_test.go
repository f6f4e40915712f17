package kill

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest/sweep"
)

// TestLastingInode checks that davd recognizes a file after a restart by its inode number, except
// on exFAT through FUSE, where the number may have changed.
func TestLastingInode(t *testing.T) {
	for _, f := range filesystems {
		if f.sample == 0 && !sweep.All() {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			path := filepath.Join(f.mount(t).dir, "file")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			want := f.name != "exFAT through FUSE"
			if inode, ok := storage.LastingInode(info); ok != want {
				t.Errorf("LastingInode is %d, %t; want %t", inode, ok, want)
			}
		})
	}
}

// TestLastingIdentity checks that davd recognizes a share after its first change. On an overlay, the
// directory gets another time of birth then, as it is copied to the upper layer.
func TestLastingIdentity(t *testing.T) {
	for _, f := range filesystems {
		if f.sample == 0 && !sweep.All() {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			share := filepath.Join(f.mount(t).dir, "share")
			if err := os.MkdirAll(share, 0o755); err != nil {
				t.Fatal(err)
			}
			before := identity(t, share)
			if err := os.WriteFile(filepath.Join(share, "file"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if after := identity(t, share); after != before || (before == "") != (f.name != "ext4" && f.name != "XFS" && f.name != "btrfs") {
				t.Errorf("%q before, %q after", before, after)
			}
		})
	}
}

func identity(t *testing.T, share string) string {
	t.Helper()
	fsys, err := local.Open(share)
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	identity, err := storage.Identity(t.Context(), fsys, "/")
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

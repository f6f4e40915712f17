package kill

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/davd/davd/storage"
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

package storage_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/storage"
)

// statInfo is a description from a disk.
type statInfo struct {
	fakeInfo
	stat syscall.Stat_t
}

func (i statInfo) Sys() any    { return &i.stat }
func (i statInfo) IsDir() bool { return i.stat.Mode&syscall.S_IFDIR != 0 }

func TestVersionOfChangeAndInode(t *testing.T) {
	info := statInfo{
		fakeInfo: fakeInfo{size: 0x2a, modified: time.Unix(1, 0x11)},
		stat:     syscall.Stat_t{Ino: 0xbeef, Ctim: syscall.Timespec{Sec: 1, Nsec: 0x22}},
	}
	const want = "3b9aca11-2a-3b9aca22-beef"
	if got, strong := storage.Version(info); got != want || !strong {
		t.Errorf("Version: %q, %t; want %q, which is strong", got, strong, want)
	}
	// Renaming a collection changes its change time, but must not change its version.
	info.stat.Mode = syscall.S_IFDIR
	if got, strong := storage.Version(info); got != "3b9aca11-2a-0-beef" || !strong {
		t.Errorf("Version of a collection: %q, %t", got, strong)
	}
}

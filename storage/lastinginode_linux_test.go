package storage

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMountedInUserSpace(t *testing.T) {
	const mounts = `25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 25 7:3 / /mnt/a\040b rw - fuseblk /dev/loop3 rw,user_id=0
32 25 0:45 / /mnt/host rw shared:7 master:3 - fuse.sshfs host:/ rw
33 25 0:46 / /sys/fs/fuse/connections rw - fusectl fusectl rw
`
	for device, want := range map[uint64]bool{
		unix.Mkdev(254, 0): false, unix.Mkdev(7, 3): true, unix.Mkdev(0, 45): true,
		unix.Mkdev(0, 46): false, unix.Mkdev(0, 99): false,
	} {
		if got := mountedInUserSpace(mounts, device); got != want {
			t.Errorf("device %d:%d: %t, want %t", unix.Major(device), unix.Minor(device), got, want)
		}
	}
}

// TestLastingInode checks that the kernel's own filesystems have lasting numbers.
func TestLastingInode(t *testing.T) {
	info, err := os.Stat("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	id, _ := identify(info)
	if lasting, lasts := LastingInode(info); !lasts || lasting == 0 || lasting != id.inode {
		t.Errorf("LastingInode is %d, %t; the inode is %d", lasting, lasts, id.inode)
	}
}

package storage

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestKindIn(t *testing.T) {
	const mounts = `25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 25 7:3 / /mnt/a\040b rw - fuseblk /dev/loop3 rw,user_id=0
32 25 0:45 / /mnt/host rw shared:7 master:3 - fuse.sshfs host:/ rw
33 25 0:46 / /sys/fs/fuse/connections rw - fusectl fusectl rw
34 25 0:47 / /srv rw - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
`
	for device, want := range map[uint64]struct {
		kind        string
		inUserSpace bool
	}{
		unix.Mkdev(254, 0): {"ext4", false}, unix.Mkdev(7, 3): {"fuseblk", true}, unix.Mkdev(0, 45): {"fuse.sshfs", true},
		unix.Mkdev(0, 46): {"fusectl", false}, unix.Mkdev(0, 47): {"overlay", false}, unix.Mkdev(0, 99): {"", false},
	} {
		if got := kindIn(mounts, device); got != want.kind || inUserSpace(got) != want.inUserSpace {
			t.Errorf("device %d:%d: %q, in user space: %t; want %+v", unix.Major(device), unix.Minor(device), got, inUserSpace(got), want)
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

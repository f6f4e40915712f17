package kill

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A smallDisk says which disks are small in a trial.
type smallDisk struct {
	name   string
	sample int
	// kind is the filesystem of the share; "" is ext4.
	kind string
	// share is the size of the disk with the share, in MiB. state is the size of another disk
	// with the state; 0 means that the state is on the share's disk.
	share, state int64
	// ballast says that a file fills the disk of the state, except for a little room.
	ballast bool
}

var smallDisks = []smallDisk{
	{name: "a full share", sample: 4, share: 16, state: 64},
	{name: "a full state", sample: 4, share: 320, state: 16, ballast: true},
	{name: "a full share on exFAT", kind: "exFAT through FUSE", share: 16, state: 64},
	{name: "a full share on btrfs", kind: "btrfs", share: 112, state: 64},
	{name: "both on a full disk", share: 32},
	{name: "both on a disk that fills up and empties", share: 48, ballast: true},
}

// TestKillFull kills davd on disks that are full most of the time. A request with the answer 507
// must not have changed anything.
func TestKillFull(t *testing.T) {
	for _, d := range smallDisks {
		if n := kills(d.sample); n > 0 {
			t.Run(d.name, func(t *testing.T) { d.test(t, n) })
		}
	}
}

// filesystem returns one of d's kind that has size MiB.
func (d smallDisk) filesystem(size int64) filesystem {
	f := filesystem{make: []string{"mkfs.ext4", "-q", "-F", "-m", "0"}, mounts: mountLoop("ext4")} // root gets no more
	for _, other := range filesystems {
		if other.name == d.kind {
			f = other
		}
	}
	f.size = size * mib
	return f
}

func (d smallDisk) test(t *testing.T, n int) {
	t.Helper()
	disk := d.filesystem(d.share).mount(t)
	s := newSite(t, disk.dir)
	if d.state > 0 {
		dir := filepath.Join(filepath.Dir(disk.dir), "small")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		smallDisk{}.filesystem(d.state).mountIn(t, disk.mounts[1], dir)
		disk.mounts = append(disk.mounts, dir)
		s.state = filepath.Join(dir, "state")
	}
	s.watch = watchRest(t, disk.mounts...)
	sizes := bodySizes
	if !d.ballast {
		sizes = []int{0, 100, 70 << 10, 700 << 10, 3 * mib, int(d.share) << 20 / 8}
	}
	tr := newTrialOf(s, newSeed(t), sizes)
	tr.model.scarce, tr.model.limit.bytes = true, int(d.share*mib)
	if d.ballast {
		b := ballast{path: filepath.Join(filepath.Dir(s.state), "ballast"), trial: tr}
		tr.disturb = func() {
			if err := b.change(); err != nil {
				t.Error(err)
			}
		}
		tr.relieve = func() {
			if err := b.remove(); err != nil {
				t.Error(err)
			}
		}
	}
	testTrial(t, tr, n)
	if tr.model.full.Load() == 0 && n >= 50 { // With fewer kills, the disk may not fill up.
		t.Error("the disk was never full")
	}
}

// A ballast is a file that fills a disk.
type ballast struct {
	path  string
	trial *trial
}

// mostLeft is the most room that a ballast leaves, in bytes.
const mostLeft = 256 << 10

// change removes the ballast, and usually creates another one that leaves little room.
func (b ballast) change() error {
	if err := b.remove(); err != nil || b.trial.rng.IntN(4) == 0 {
		return err
	}
	file, err := os.Create(b.path)
	if err != nil {
		return err
	}
	var s unix.Statfs_t
	err = unix.Fstatfs(int(file.Fd()), &s)
	if size := int64(s.Bavail)*s.Bsize - int64(b.trial.rng.IntN(mostLeft)); err == nil && size > 0 {
		err = unix.Fallocate(int(file.Fd()), 0, 0, size)
		if errors.Is(err, unix.ENOSPC) {
			err = nil // davd has used the room first.
		}
	}
	return errors.Join(err, file.Close())
}

func (b ballast) remove() error {
	err := os.Remove(b.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

package kill

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A filesystem is a kind of disk that davd keeps its share and its state on.
type filesystem struct {
	name   string
	sample int // the number of kills without DAVD_SWEEP=1
	size   int64
	make   []string // the command that creates it in a file
	mounts func(t *testing.T, image, dir string)
}

const (
	mib = 1 << 20
	// xfs does not exist in less than 300 MiB. Images are sparse.
	diskSize = 320 * mib
)

var filesystems = []filesystem{
	{"ext4", 8, diskSize, []string{"mkfs.ext4", "-q", "-F"}, mountLoop("ext4")},
	{"btrfs", 0, diskSize, []string{"mkfs.btrfs", "-q", "-f"}, mountLoop("btrfs")},
	{"XFS", 0, diskSize, []string{"mkfs.xfs", "-q", "-f"}, mountLoop("xfs")},
	{"exFAT through FUSE", 4, diskSize, []string{"mkfs.exfat"}, mountExfat},
	{"overlayfs", 6, diskSize, []string{"mkfs.ext4", "-q", "-F"}, mountOverlay(false)},
	{"overlayfs over another filesystem", 0, diskSize, []string{"mkfs.ext4", "-q", "-F"}, mountOverlay(true)},
}

// A mounted is a mounted filesystem.
type mounted struct {
	dir string
	// mounts are all the filesystems that were mounted for it.
	mounts []string
}

// mount creates a filesystem and mounts it until the test ends.
func (f filesystem) mount(t *testing.T) mounted {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a filesystem needs root: run the tests as root too")
	}
	base, err := os.MkdirTemp("", "k") //nolint:usetesting // the name of t.TempDir is too long for sockets in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // Remove fails for directories that could not be unmounted.
		for _, dir := range []string{"small", "images", "d", ""} {
			_ = os.Remove(filepath.Join(base, dir))
		}
	})
	images, dir := filepath.Join(base, "images"), filepath.Join(base, "d")
	if err := errors.Join(os.Mkdir(images, 0o755), os.Mkdir(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	// Images in memory are fast, and survive a kill of davd as well.
	mountTmpfs(t, images, "1g")
	f.mountIn(t, images, dir)
	return mounted{dir: dir, mounts: []string{dir, images}}
}

// mountIn mounts the filesystem at dir, with its image in images.
func (f filesystem) mountIn(t *testing.T, images, dir string) {
	t.Helper()
	image := filepath.Join(images, filepath.Base(dir)+".image")
	if err := f.format(image); err != nil {
		t.Fatal(err)
	}
	f.mounts(t, image, dir)
}

func (f filesystem) format(image string) error {
	file, err := os.Create(image)
	if err == nil {
		err = errors.Join(file.Truncate(f.size), file.Close())
	}
	if err == nil {
		err = command(f.make[0], append(f.make[1:], image)...)
	}
	return err
}

// mountAt mounts something at dir until the test ends.
func mountAt(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	if err := command(program, append(args, dir)...); err != nil {
		if strings.Contains(err.Error(), "unknown filesystem type") {
			t.Skipf("the kernel does not have this filesystem: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := command("umount", "-i", dir); err != nil {
			t.Error(errors.Join(err, command("umount", "-i", "-l", dir)))
		}
	})
}

// mountTmpfs skips the test where nothing can be mounted.
func mountTmpfs(t *testing.T, dir, size string) {
	t.Helper()
	args := []string{"-t", "tmpfs", "-o", "mode=755,size=" + size, "tmpfs"}
	if err := command("mount", append(args, dir)...); err != nil {
		t.Skipf("mounting is not permitted here: %v", err)
	}
	if err := command("umount", dir); err != nil {
		t.Fatal(err)
	}
	mountAt(t, dir, "mount", args...)
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

func mountLoop(kind string) func(t *testing.T, image, dir string) {
	return func(t *testing.T, image, dir string) {
		t.Helper()
		mountAt(t, dir, "mount", "-t", kind, "-o", "loop", image)
	}
}

// mountExfat uses a block device. The process of the filesystem survives a kill of davd, and ends
// when it is unmounted.
func mountExfat(t *testing.T, image, dir string) {
	t.Helper()
	device, err := exec.Command("losetup", "--find", "--show", image).Output()
	if err != nil {
		t.Fatalf("losetup: %v", err)
	}
	name := strings.TrimSpace(string(device))
	t.Cleanup(func() {
		if err := command("losetup", "--detach", name); err != nil {
			t.Error(err)
		}
	})
	mountAt(t, dir, "mount.exfat-fuse", name)
}

// mountOverlay mounts an overlay whose upper layer is on ext4. The lower layer already contains the
// collections of the share. If apart, it is on another filesystem, which affects the inode numbers
// that the overlay can report.
func mountOverlay(apart bool) func(t *testing.T, image, dir string) {
	return func(t *testing.T, image, dir string) {
		t.Helper()
		layers := filepath.Join(filepath.Dir(image), "layers")
		if err := os.Mkdir(layers, 0o755); err != nil {
			t.Fatal(err)
		}
		mountLoop("ext4")(t, image, layers)
		lower, upper, work := filepath.Join(layers, "lower"), filepath.Join(layers, "upper"), filepath.Join(layers, "work")
		if apart {
			lower = filepath.Join(filepath.Dir(image), "lower")
		}
		seeds := newTrial(nil, 1).seed()
		err := errors.Join(plant(filepath.Join(lower, "share"), seeds), os.Mkdir(upper, 0o755), os.Mkdir(work, 0o755))
		if err != nil {
			t.Fatal(err)
		}
		mountAt(t, dir, "mount", "-t", "overlay", "-o", "lowerdir="+lower+",upperdir="+upper+",workdir="+work, "overlay")
	}
}

package tree_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/davd/davd/storage/tree"
)

// mountTmpfs mounts a filesystem of 1 MiB on the collection /small of the share in dir.
func mountTmpfs(t *testing.T, dir string) {
	t.Helper()
	at := filepath.Join(dir, "small")
	noError(t, os.Mkdir(at, 0o755))
	if err := syscall.Mount("tmpfs", at, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a tmpfs can't be mounted, which needs root: %v", err)
	}
	t.Cleanup(func() { noError(t, syscall.Unmount(at, syscall.MNT_DETACH)) })
}

// TestAcrossFilesystems: a MOVE to another filesystem copies, whatever exists there. If
// the copy does not fit, nothing changes.
func TestAcrossFilesystems(t *testing.T) {
	for _, d := range destinations {
		t.Run(d.name, func(t *testing.T) {
			fsys, dir := newLocal(t)
			mountTmpfs(t, dir)
			build(t, fsys, source)
			build(t, fsys, layout{"/large/f": strings.Repeat("x", 2<<20), "/large/g": "1"})
			old := layout{}
			for name, what := range d.old {
				old["/small"+name] = what
			}
			build(t, fsys, old)
			was := snapshot(t, fsys)
			journal := &memJournal{}
			engine := tree.Engine{FS: fsys, Journal: journal, Follower: &follows{}}
			errorIs(t, engine.Move(t.Context(), "/large", "/small/dst", nil), syscall.ENOSPC)
			errorIs(t, engine.Copy(t.Context(), "/large", "/small/dst", tree.Infinite, nil), syscall.ENOSPC)
			check(t, fsys, was)
			noError(t, engine.Move(t.Context(), "/src", "/small/dst", nil))
			check(t, fsys, was.replaced("/src", "/small/dst").without("/src"))
			if len(journal.ids) > 0 {
				t.Errorf("%d records are left", len(journal.ids))
			}
		})
	}
}

// TestImmutable: parts of a displaced tree that can't be removed stay under a reserved
// name. A later start removes them once it can.
func TestImmutable(t *testing.T) {
	fsys, dir := newLocal(t)
	build(t, fsys, layout{"/src/f": "1", "/dst/kept": "2", "/dst/other": "3"})
	kept := filepath.Join(dir, "dst", "kept")
	if out, err := exec.Command("chattr", "+i", kept).CombinedOutput(); err != nil {
		t.Skipf("chattr +i, which needs root and a filesystem that has it: %v: %s", err, out)
	}
	inode := mustStat(t, kept)
	free := func() {
		_ = filepath.WalkDir(dir, func(file string, _ os.DirEntry, err error) error {
			if err == nil && os.SameFile(mustStat(t, file), inode) {
				out, err := exec.Command("chattr", "-i", file).CombinedOutput()
				if err != nil {
					t.Errorf("chattr -i: %v: %s", err, out)
				}
			}
			return nil
		})
	}
	defer free()
	journal := &memJournal{}
	f := &follows{}
	engine := tree.Engine{FS: fsys, Journal: journal, Follower: f}
	err := engine.Move(t.Context(), "/src", "/dst", nil)
	if err == nil || !strings.Contains(err.Error(), "could not be removed") {
		t.Errorf("error %v, want a LeftoverError", err)
	}
	if d := diff(snapshot(t, fsys).seen().below("/dst"), layout{"": collection, "/f": "1"}); d != "" {
		t.Errorf("wrong tree:%s", d)
	}
	for _, want := range []tree.Result{tree.Left, tree.Finished} {
		recovered, err := engine.Recover(t.Context())
		if err != nil || len(recovered) != 1 || recovered[0].Result != want {
			t.Errorf("recovered %+v (%v), want %s", recovered, err, want)
		}
		free()
	}
	check(t, fsys, layout{"/dst/f": "1"}.full())
	if len(journal.ids) != 0 || len(f.done) != 1 {
		t.Errorf("%d records are left, followed %q", len(journal.ids), f.done)
	}
}

func mustStat(t *testing.T, file string) os.FileInfo {
	t.Helper()
	info, err := os.Lstat(file)
	noError(t, err)
	return info
}

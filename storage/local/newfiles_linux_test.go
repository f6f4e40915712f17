package local_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/tree"
)

// createAll creates files and collections in every way, in the collection dir, and returns
// their names with the permission bits that were asked for.
func createAll(t *testing.T, fsys storage.FS, dir string) map[string]fs.FileMode {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err := storage.ReplaceFile(ctx, fsys, path.Join(dir, "put"), storage.Replacing{Perm: 0o666})
	must(err)
	_, err = r.Commit(ctx, storage.Placing{})
	must(err)
	for name, flag := range map[string]int{"opened": os.O_RDWR | os.O_CREATE, "exclusive": os.O_RDWR | os.O_CREATE | os.O_EXCL} {
		f, err := fsys.OpenFile(ctx, path.Join(dir, name), flag, 0o666)
		must(err)
		must(f.Close())
	}
	must(fsys.Mkdir(ctx, path.Join(dir, "made"), 0o777))
	must(storage.CopyMember(ctx, fsys, "/original", path.Join(dir, "copy"), describe(t, fsys, "/original"), nil))
	must(tree.Engine{FS: fsys}.Copy(ctx, "/source", path.Join(dir, "tree"), tree.Infinite, nil))
	return map[string]fs.FileMode{
		"put": 0o666, "opened": 0o666, "exclusive": 0o666, "made": 0o777, "copy": 0o664, "tree": 0o775, "tree/member": 0o664,
	}
}

func describe(t *testing.T, fsys storage.FS, name string) fs.FileInfo {
	t.Helper()
	info, err := fsys.Stat(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// TestNewFiles checks the permissions, owner and group of everything that is created.
func TestNewFiles(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077)) // the umask of the process must not matter
	umask := fs.FileMode(0o027)
	options := local.Options{Umask: &umask}
	uid, gid := os.Geteuid(), os.Getegid()
	if uid == 0 {
		uid, gid = 12345, 23456
		options.UID, options.GID = &uid, &gid
	}
	for _, links := range []local.Links{local.LinksInside, local.LinksDeny, local.LinksFollow} {
		t.Run(links.String(), func(t *testing.T) {
			dir := t.TempDir()
			write := func(name string, perm fs.FileMode) {
				t.Helper()
				full := filepath.Join(dir, name)
				err := os.MkdirAll(filepath.Dir(full), 0o700)
				if err == nil {
					err = os.WriteFile(full, []byte("x"), 0o600)
				}
				if err := errors.Join(err, os.Chmod(full, perm)); err != nil {
					t.Fatal(err)
				}
			}
			write("original", 0o664)
			write("old", 0o666)
			write("source/member", 0o664)
			if err := errors.Join(os.Chmod(filepath.Join(dir, "source"), 0o775), os.Mkdir(filepath.Join(dir, "shared"), 0o700), os.Chmod(filepath.Join(dir, "shared"), 0o770|fs.ModeSetgid)); err != nil {
				t.Fatal(err)
			}
			options.Links = links
			fsys, err := local.OpenWith(dir, options)
			if err != nil {
				t.Fatal(err)
			}
			defer fsys.Close()
			for _, at := range []string{"/", "/shared"} {
				for name, asked := range createAll(t, fsys, at) {
					checkNew(t, filepath.Join(dir, at, name), asked&^umask, uid, gid)
				}
			}
			if info, err := os.Stat(filepath.Join(dir, "shared/made")); err != nil || info.Mode()&fs.ModeSetgid == 0 {
				t.Errorf("the new collection has lost its set-group-ID bit: %v, error %v", info, err)
			}
			r, err := storage.ReplaceFile(t.Context(), fsys, "/old", storage.Replacing{Perm: 0o666})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Commit(t.Context(), storage.Placing{}); err != nil {
				t.Fatal(err)
			}
			checkNew(t, filepath.Join(dir, "old"), 0o666, os.Geteuid(), os.Getegid())
			f, err := fsys.OpenFile(t.Context(), "/old", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			checkNew(t, filepath.Join(dir, "old"), 0o666, os.Geteuid(), os.Getegid())
		})
	}
}

func checkNew(t *testing.T, name string, perm fs.FileMode, uid, gid int) {
	t.Helper()
	var stat unix.Stat_t
	if err := unix.Lstat(name, &stat); err != nil {
		t.Fatal(err)
	}
	if got := fs.FileMode(stat.Mode & 0o777); got != perm || int(stat.Uid) != uid || int(stat.Gid) != gid {
		t.Errorf("%s has %v of %d:%d, want %v of %d:%d", name, got, stat.Uid, stat.Gid, perm, uid, gid)
	}
}

// TestNewFilesDefaultACL checks that a default ACL decides about permissions, as it does
// without a umask.
func TestNewFilesDefaultACL(t *testing.T) {
	// user::rwx, group::r-x, other::--x, and no others.
	acl := []byte{2, 0, 0, 0}
	for _, entry := range [][2]uint16{{0x01, 7}, {0x04, 5}, {0x20, 1}} {
		acl = binary.LittleEndian.AppendUint16(acl, entry[0])
		acl = binary.LittleEndian.AppendUint16(acl, entry[1])
		acl = binary.LittleEndian.AppendUint32(acl, 0xffffffff)
	}
	dir := t.TempDir()
	if err := unix.Setxattr(dir, "system.posix_acl_default", acl, 0); err != nil {
		t.Skip("this filesystem has no ACLs: ", err)
	}
	umask := fs.FileMode(0o777)
	fsys, err := local.OpenWith(dir, local.Options{Umask: &umask})
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	r, err := storage.ReplaceFile(t.Context(), fsys, "/put", storage.Replacing{Perm: 0o666})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Commit(t.Context(), storage.Placing{}); err != nil {
		t.Fatal(err)
	}
	f, err := fsys.OpenFile(t.Context(), "/opened", os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if err := fsys.Mkdir(t.Context(), "/made", 0o777); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"put": 0o640, "opened": 0o640, "made": 0o751} {
		checkNew(t, filepath.Join(dir, name), want, os.Geteuid(), os.Getegid())
	}
}

// TestOwnersRefused checks that an owner that the process can't set is an error at the start.
func TestOwnersRefused(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can set any owner")
	}
	other := os.Geteuid() + 1
	if _, err := local.OpenWith(t.TempDir(), local.Options{UID: &other}); err == nil {
		t.Error("another user is accepted")
	}
}

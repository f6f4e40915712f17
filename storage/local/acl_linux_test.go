package local_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

const (
	accessACL  = "system.posix_acl_access"
	defaultACL = "system.posix_acl_default"
)

// aclEntry is an entry of a POSIX ACL. id is the ID of a named user or group.
type aclEntry struct {
	tag, perm uint16
	id        uint32
}

const (
	aclUserObj, aclUser, aclGroupObj, aclGroup, aclMask, aclOther = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20

	aclNobody = ^uint32(0) // the ID of an entry that names no user or group
)

// aclValue returns the attribute value for the entries.
func aclValue(entries ...aclEntry) []byte {
	value := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range entries {
		value = binary.LittleEndian.AppendUint16(value, e.tag)
		value = binary.LittleEndian.AppendUint16(value, e.perm)
		value = binary.LittleEndian.AppendUint32(value, e.id)
	}
	return value
}

// sharedACL lets the user 1000 write and gives group to the owning group. Because of its mask,
// the mode looks as if the group could write.
func sharedACL(group uint16) []byte {
	return aclValue(aclEntry{aclUserObj, 6, aclNobody}, aclEntry{aclUser, 6, 1000}, aclEntry{aclGroupObj, group, aclNobody},
		aclEntry{aclMask, 6, aclNobody}, aclEntry{aclOther, 0, aclNobody})
}

// setACL sets the ACL of name.
func (s share) setACL(t *testing.T, name, attribute string, value []byte) {
	t.Helper()
	err := unix.Setxattr(s.path(name), attribute, value, 0)
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Fatal("this filesystem has no ACLs: set TMPDIR to a directory on another filesystem")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// acl returns the ACL of name, or nil if it has none.
func (s share) acl(t *testing.T, name string) []byte {
	t.Helper()
	buf := make([]byte, 1<<10)
	n, err := unix.Getxattr(s.path(name), accessACL, buf)
	if errors.Is(err, unix.ENODATA) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// patched replaces the content of name, or only its beginning if patch is set.
func (s share) patched(t *testing.T, name, content string, patch bool) {
	t.Helper()
	how := storage.Replacing{Perm: 0o666}
	if patch {
		how.Patch = func(fs.FileInfo) (int64, error) { return 0, nil }
	}
	r, err := s.ReplaceFile(t.Context(), name, how)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Write([]byte(content))
	if _, commitErr := r.Commit(t.Context(), storage.Placing{}); err != nil || commitErr != nil {
		t.Fatal(err, commitErr)
	}
}

// eachACLCase runs test for a PUT and a PATCH.
func eachACLCase(t *testing.T, test func(t *testing.T, s share, patch bool)) {
	t.Helper()
	eachWay(t, func(t *testing.T, s share) {
		for name, patch := range map[string]bool{"PUT": false, "PATCH": true} {
			t.Run(name, func(t *testing.T) { test(t, s, patch) })
		}
	})
}

// TestReplaceFileKeepsACL checks that a new file keeps the ACL, whose mask isn't the group's right.
func TestReplaceFileKeepsACL(t *testing.T) {
	eachACLCase(t, func(t *testing.T, s share, patch bool) {
		want := sharedACL(0)
		if err := os.WriteFile(s.path("/file"), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.setACL(t, "/file", accessACL, want)
		s.patched(t, "/file", "new", patch)
		if got := s.acl(t, "/file"); !bytes.Equal(got, want) {
			t.Errorf("the ACL is %x, want %x", got, want)
		}
		if _, mode := s.owned(t, "/file"); mode != 0o660 {
			t.Errorf("the mode is %v", mode)
		}
	})
}

// asGroup opens path as the user and with this group only. It doesn't need access to the
// collections above path. It uses a thread that ends afterwards.
func asGroup(t *testing.T, user, group int, path string) error {
	t.Helper()
	dir, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // It is never unlocked, so the thread ends with the goroutine.
		if err := errors.Join(unix.Setfsgid(group), unix.Setfsuid(user)); err != nil {
			done <- err
			return
		}
		fd, err := unix.Openat(dir, filepath.Base(path), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Close(fd)
		}
		done <- err
	}()
	return <-done
}

// TestReplaceFileGroupOfACL checks that only the users and groups that could read the old file
// can read the new one and the stage before it.
func TestReplaceFileGroupOfACL(t *testing.T) {
	needRoot(t)
	eachWay(t, func(t *testing.T, s share) {
		if err := os.Chmod(s.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		s.own(t, "/file", ids{1234, 100}, 0o600)
		s.setACL(t, "/file", accessACL, sharedACL(0))
		r := s.begin(t, "/file", "new")
		for _, name := range s.names(t, "/") {
			if err := asGroup(t, 1001, 100, s.path("/"+name)); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("before Commit the group can open %s: %v", name, err)
			}
			if err := asGroup(t, 1001, os.Getegid(), s.path("/"+name)); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("before Commit the group of this process can open %s: %v", name, err)
			}
		}
		if _, err := r.Commit(t.Context(), storage.Placing{}); err != nil {
			t.Fatal(err)
		}
		if err := asGroup(t, 1001, 100, s.path("/file")); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("the group can open the file: %v", err)
		}
		if err := asGroup(t, 1000, 1000, s.path("/file")); err != nil {
			t.Errorf("the user with an entry can't open the file: %v", err)
		}
	})
}

// TestReplaceFileDefaultACL checks that a new file gets the collection's default ACL, and that a
// file that had no ACL still has none.
func TestReplaceFileDefaultACL(t *testing.T) {
	eachACLCase(t, func(t *testing.T, s share, patch bool) {
		for _, name := range []string{"/file", "/made", "/new"} {
			if err := os.Remove(s.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}
		if err := unix.Removexattr(s.dir, defaultACL); err != nil && !errors.Is(err, unix.ENODATA) {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(s.path("/file"), nil, 0o640), os.Chmod(s.path("/file"), 0o640)); err != nil {
			t.Fatal(err)
		}
		s.setACL(t, "/", defaultACL, sharedACL(6))
		if err := os.WriteFile(s.path("/made"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		s.patched(t, "/file", "new", patch)
		s.patched(t, "/new", "new", patch)
		if got, want := s.acl(t, "/new"), s.acl(t, "/made"); want == nil || !bytes.Equal(got, want) {
			t.Errorf("the new file has the ACL %x, want %x", got, want)
		}
		_, got := s.owned(t, "/new")
		if _, want := s.owned(t, "/made"); got != want {
			t.Errorf("the new file has the mode %v, want %v", got, want)
		}
		if got := s.acl(t, "/file"); got != nil {
			t.Errorf("the replaced file now has the ACL %x", got)
		}
		if _, mode := s.owned(t, "/file"); mode != 0o640 {
			t.Errorf("the replaced file now has the mode %v", mode)
		}
	})
}

// TestReplaceFileACLOfAnother checks a replacement that changes the group: the new group gets no
// more than others, and users with an entry in the ACL keep their rights.
func TestReplaceFileACLOfAnother(t *testing.T) {
	needRoot(t)
	eachWay(t, func(t *testing.T, s share) {
		if err := os.Chmod(s.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		s.own(t, "/file", ids{1234, 4321}, 0o600)
		value := func(group uint16) []byte {
			return aclValue(aclEntry{aclUserObj, 6, aclNobody}, aclEntry{aclUser, 6, nobody}, aclEntry{aclGroupObj, group, aclNobody},
				aclEntry{aclMask, 6, aclNobody}, aclEntry{aclOther, 4, aclNobody})
		}
		s.setACL(t, "/file", accessACL, value(6))
		asNobody(t, func() {
			if err := s.replace(t, "/file", "new"); err != nil {
				t.Error(err)
			}
		})
		if got, _ := s.owned(t, "/file"); got != (ids{nobody, nobody}) {
			t.Errorf("the new file belongs to %v", got)
		}
		if got, want := s.acl(t, "/file"), value(4); !bytes.Equal(got, want) {
			t.Errorf("the ACL is %x, want %x", got, want)
		}
	})
}

// TestReplaceFileOldGone checks that a file whose predecessor has been removed gets no rights that
// depended on the ACL.
func TestReplaceFileOldGone(t *testing.T) {
	eachWay(t, func(t *testing.T, s share) {
		if err := os.WriteFile(s.path("/file"), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.setACL(t, "/file", accessACL, sharedACL(0))
		r := s.begin(t, "/file", "new")
		if err := os.Remove(s.path("/file")); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Commit(t.Context(), storage.Placing{}); err != nil {
			t.Fatal(err)
		}
		if _, mode := s.owned(t, "/file"); mode != 0o600 {
			t.Errorf("the mode is %v", mode)
		}
	})
}

// TestCopyMembersKeepsACL checks that a copy is accessible to the same users as the file.
func TestCopyMembersKeepsACL(t *testing.T) {
	s := newShare(t)
	want := sharedACL(0)
	for _, err := range []error{
		os.Mkdir(s.path("/dst"), 0o777), os.WriteFile(s.path("/file"), []byte("x"), 0o600), os.WriteFile(s.path("/plain"), []byte("x"), 0o600),
		os.Chmod(s.path("/plain"), 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.setACL(t, "/file", accessACL, want)
	var members []fs.FileInfo
	for _, name := range []string{"/file", "/plain"} {
		info, err := s.Lstat(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, info)
	}
	for name, err := range s.CopyMembers(t.Context(), storage.Copying{From: "/", To: "/dst", Members: members}) {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := s.acl(t, "/dst/file"); !bytes.Equal(got, want) {
		t.Errorf("the ACL is %x, want %x", got, want)
	}
	if _, mode := s.owned(t, "/dst/file"); mode != 0o660 {
		t.Errorf("the mode is %v", mode)
	}
	if _, mode := s.owned(t, "/dst/plain"); mode != 0o666 {
		t.Errorf("the mode of the next copy is %v", mode)
	}
	if err := storage.CopyMember(t.Context(), s, "/file", "/other", members[0], nil); err != nil {
		t.Fatal(err)
	}
	if _, mode := s.owned(t, "/other"); mode != 0o660 || !bytes.Equal(s.acl(t, "/other"), want) {
		t.Errorf("under another name: the mode is %v, the ACL %x", mode, s.acl(t, "/other"))
	}
}

// TestWithoutACL checks that a file that can't have its ACL is accessible to no more users.
func TestWithoutACL(t *testing.T) {
	entry := func(tag, perm uint16) aclEntry { return aclEntry{tag, perm, 1} }
	for _, test := range []struct {
		name       string
		acl        []byte
		perm, want fs.FileMode
	}{
		{"the group has none", sharedACL(0), 0o660, 0o600},
		{"the group has some", sharedACL(4), 0o660, 0o640},
		{"the mask limits the group", sharedACL(6), 0o640, 0o640},
		{"a user has less than others", aclValue(entry(aclUser, 0), entry(aclGroupObj, 4)), 0o644, 0o640},
		{"a group has less than others", aclValue(entry(aclUser, 6), entry(aclGroupObj, 4), entry(aclGroup, 4)), 0o666, 0o644},
		{"damaged", []byte{2, 0, 0, 0, 1}, 0o664, 0o604},
		{"empty", nil, 0o664, 0o604},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := local.WithoutACL(test.acl, test.perm); got != test.want {
				t.Errorf("%v with the ACL becomes %v without it, want %v", test.perm, got, test.want)
			}
		})
	}
}

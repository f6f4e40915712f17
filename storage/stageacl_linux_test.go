package storage_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// TestReplaceFileACLOfDir checks that the fallback keeps ACLs. The mask of an ACL looks like the
// permission bits of the group, and webdav.Dir doesn't handle ACLs itself.
func TestReplaceFileACLOfDir(t *testing.T) {
	const access, byDefault = "system.posix_acl_access", "system.posix_acl_default"
	const none = "\xff\xff\xff\xff"
	// user::rw-, user:1000:rw-, group::---, mask::rw-, other::---
	acl := []byte("\x02\x00\x00\x00\x01\x00\x06\x00" + none + "\x02\x00\x06\x00\xe8\x03\x00\x00" +
		"\x04\x00\x00\x00" + none + "\x10\x00\x06\x00" + none + "\x20\x00\x00\x00" + none)
	for _, test := range []struct {
		name      string
		acl       []byte
		byDefault bool
		mode      fs.FileMode
	}{
		{"an ACL", acl, false, 0o660},
		{"an ACL in a collection with a default ACL", acl, true, 0o660},
		{"no ACL in a collection with a default ACL", nil, true, 0o640},
		{"no ACL", nil, false, 0o640},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			err := errors.Join(os.WriteFile(path, []byte("old"), 0o600), os.Chmod(path, 0o640))
			if err == nil && test.acl != nil {
				err = syscall.Setxattr(path, access, test.acl, 0)
			}
			if err == nil && test.byDefault {
				err = syscall.Setxattr(dir, byDefault, acl, 0)
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := storage.ReplaceFile(t.Context(), webdav.Dir(dir), "/file", storage.Replacing{Perm: 0o666})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Commit(t.Context(), storage.Placing{}); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 1<<10)
			n, err := syscall.Getxattr(path, access, got)
			if !bytes.Equal(got[:max(n, 0)], test.acl) || test.acl == nil != errors.Is(err, syscall.ENODATA) {
				t.Errorf("the ACL is %x, error %v; want %x", got[:max(n, 0)], err, test.acl)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != test.mode {
				t.Errorf("the mode is %v, error %v; want %v", info.Mode(), err, test.mode)
			}
		})
	}
}

// TestTooLarge checks that a file that is too large is a different error from a full disk.
func TestTooLarge(t *testing.T) {
	for _, test := range []struct {
		err             error
		noSpace, tooBig bool
	}{
		{&fs.PathError{Op: "write", Path: "/x", Err: syscall.EFBIG}, false, true},
		{&fs.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC}, true, false},
		{fs.ErrNotExist, false, false},
		{nil, false, false},
	} {
		if storage.NoSpace(test.err) != test.noSpace || storage.TooLarge(test.err) != test.tooBig {
			t.Errorf("%v: no space %v, too large %v", test.err, storage.NoSpace(test.err), storage.TooLarge(test.err))
		}
	}
}

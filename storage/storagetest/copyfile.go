package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/davd/davd/storage"
)

var copyFileChecks = []check{
	{"CopyMember", func(f *fixture) {
		f.mkdir("/dir")
		want := Tree{"/dir": collection}
		for i, size := range []int{0, 1, large} {
			src, dst := fmt.Sprintf("/src%d", i), fmt.Sprintf("/dir/dst%d", i)
			content := string(noise(size))
			f.write(src, content)
			var wrote int64
			f.succeeds(copyFile(f.ctx, f.FS, src, dst, func(n int64) {
				if n <= 0 {
					f.t.Errorf("%d bytes reported at once", n)
				}
				wrote += n
			}))
			if wrote != int64(size) {
				f.t.Errorf("%d bytes reported, want %d", wrote, size)
			}
			want[src], want[dst] = content, content
		}
		if got := ReadTree(f.t, f.FS, "/"); len(got) != len(want) || !sameTree(got, want) {
			f.t.Error("the copies differ from their sources")
		}
	}},
	{"CopyMemberPermissions", func(f *fixture) {
		for _, perm := range []fs.FileMode{0o600, 0o640, 0o700} {
			src, dst := fmt.Sprintf("/src%o", perm), fmt.Sprintf("/%o", perm)
			file, err := f.OpenFile(f.ctx, src, os.O_RDWR|os.O_CREATE, perm)
			f.succeeds(err)
			f.succeeds(file.Close())
			info := f.stat(src)
			f.succeeds(storage.CopyMember(f.ctx, f.FS, src, dst, info, nil))
			if got := f.stat(dst).Mode().Perm(); got != info.Mode().Perm() {
				f.t.Errorf("permissions %o, want %o", got, info.Mode().Perm())
			}
		}
	}},
	{"CopyMemberOntoFile", func(f *fixture) {
		want := Tree{"/src": "new", "/dst": "old", "/dir": collection}
		WriteTree(f.t, f.FS, want)
		f.fails(copyFile(f.ctx, f.FS, "/src", "/dst", nil), fs.ErrExist)
		f.fails(copyFile(f.ctx, f.FS, "/src", "/dir", nil), fs.ErrExist)
		f.fails(copyFile(f.ctx, f.FS, "/src", "/src", nil), fs.ErrExist)
		f.fails(copyFile(f.ctx, f.FS, "/no", "/new", nil), fs.ErrNotExist)
		f.holds(want)
	}},
	{"CopyMemberOfCollection", func(f *fixture) {
		f.mkdir("/dir")
		err := copyFile(f.ctx, f.FS, "/dir", "/dst", nil)
		f.fails(err)
		f.carry("/dir", err)
		f.holds(Tree{"/dir": collection})
	}},
	{"CopyMemberFaults", copyFileFaults},
}

func sameTree(a, b Tree) bool {
	for name, content := range a {
		if b[name] != content {
			return false
		}
	}
	return true
}

var errFault = errors.New("injected fault")

// copyFile copies the file src to dst, without a look at it before.
func copyFile(ctx context.Context, fsys storage.FS, src, dst string, wrote func(n int64)) error {
	return storage.CopyMember(ctx, fsys, src, dst, entryInfo{mode: 0o666}, wrote)
}

// entryInfo describes an entry that may be missing.
type entryInfo struct{ mode fs.FileMode }

func (entryInfo) Name() string        { return "" }
func (entryInfo) Size() int64         { return 0 }
func (i entryInfo) Mode() fs.FileMode { return i.mode }
func (entryInfo) ModTime() time.Time  { return time.Now() }
func (entryInfo) IsDir() bool         { return false }
func (entryInfo) Sys() any            { return nil }

// copyFileFaults makes the first call of the fallback of CopyMember fail, then the second, and so on until all
// have failed once. Each time, either the copy is complete, or it doesn't exist and CopyMember
// returns the fault.
func copyFileFaults(f *fixture) {
	content := string(noise(100_000))
	f.write("/src", content)
	for n := 1; ; n++ {
		calls := 0
		var failed string
		fault := &Fault{FS: struct{ storage.FS }{f.FS}, Before: func(op, name string) error {
			if calls++; calls == n {
				failed = op + " " + name
				return errFault
			}
			return nil
		}}
		err := copyFile(f.ctx, fault, "/src", "/dst", nil)
		if err == nil {
			f.holds(Tree{"/src": content, "/dst": content})
			f.succeeds(storage.Remove(f.ctx, f.FS, "/dst"))
		} else {
			f.fails(err, errFault)
			f.holds(Tree{"/src": content})
		}
		if failed == "" {
			f.succeeds(err)
			if n < 6 {
				f.t.Errorf("only %d calls to fail", n-1)
			}
			return
		}
		if err == nil && failed != "close /src" {
			f.t.Errorf("no error though %q failed", failed)
		}
	}
}

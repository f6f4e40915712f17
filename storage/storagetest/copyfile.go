package storagetest

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/davd/davd/storage"
)

var copyFileChecks = []check{
	{"CopyFile", func(f *fixture) {
		f.mkdir("/dir")
		want := Tree{"/dir": collection}
		for i, size := range []int{0, 1, large} {
			src, dst := fmt.Sprintf("/src%d", i), fmt.Sprintf("/dir/dst%d", i)
			content := string(noise(size))
			f.write(src, content)
			var wrote int64
			f.succeeds(storage.CopyFile(f.ctx, f.FS, src, dst, 0o666, func(n int64) {
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
	{"CopyFilePermissions", func(f *fixture) {
		f.write("/src", "x")
		for _, perm := range []fs.FileMode{0o600, 0o640, 0o700} {
			dst := fmt.Sprintf("/%o", perm)
			f.succeeds(storage.CopyFile(f.ctx, f.FS, "/src", dst, perm, nil))
			if got := f.stat(dst).Mode().Perm(); got&^perm != 0 || got&0o600 != 0o600 {
				f.t.Errorf("permissions %o, want %o, or less because of the umask", got, perm)
			}
		}
	}},
	{"CopyFileOntoFile", func(f *fixture) {
		want := Tree{"/src": "new", "/dst": "old", "/dir": collection}
		WriteTree(f.t, f.FS, want)
		f.fails(storage.CopyFile(f.ctx, f.FS, "/src", "/dst", 0o666, nil), fs.ErrExist)
		f.fails(storage.CopyFile(f.ctx, f.FS, "/src", "/dir", 0o666, nil), fs.ErrExist)
		f.fails(storage.CopyFile(f.ctx, f.FS, "/src", "/src", 0o666, nil), fs.ErrExist)
		f.fails(storage.CopyFile(f.ctx, f.FS, "/no", "/new", 0o666, nil), fs.ErrNotExist)
		f.holds(want)
	}},
	{"CopyFileOfCollection", func(f *fixture) {
		f.mkdir("/dir")
		err := storage.CopyFile(f.ctx, f.FS, "/dir", "/dst", 0o666, nil)
		f.fails(err)
		f.carry("/dir", err)
		f.holds(Tree{"/dir": collection})
	}},
	{"CopyFileFaults", copyFileFaults},
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

// copyFileFaults makes the first call of CopyFile fail, then the second, and so on until all
// have failed once. Each time, either the copy is complete, or it doesn't exist and CopyFile
// returns the fault.
func copyFileFaults(f *fixture) {
	content := string(noise(100_000))
	f.write("/src", content)
	for n := 1; ; n++ {
		calls := 0
		var failed string
		fault := &Fault{FS: f.FS, Before: func(op, name string) error {
			if calls++; calls == n {
				failed = op + " " + name
				return errFault
			}
			return nil
		}}
		err := storage.CopyFile(f.ctx, fault, "/src", "/dst", 0o666, nil)
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

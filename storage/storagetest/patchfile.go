package storagetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/davd/davd/storage"
)

var replaceFileChecks = slices.Concat(wholeFileChecks, patchFileChecks, keptFileChecks, []check{
	{"ReplaceFileChecked", replaceFileChecked},
	{"ReplaceFileCheckedAtCommit", replaceFileCheckedAtCommit},
	{"ReplaceFileInManyWays", replaceFileInManyWays},
	{"ReplaceFileNewMember", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "x")
		long := time.Now().Add(-time.Hour)
		if err := storage.SetTimes(f.ctx, f.FS, "/dir", long); err != nil {
			f.fails(err, errors.ErrUnsupported)
			return
		}
		f.commits("/dir/new", "x", false)
		f.recent(f.stat("/dir"))
	}},
})

var patchFileChecks = []check{
	{"PatchFile", func(f *fixture) {
		for _, c := range []struct {
			offset    int64
			old, want string
		}{
			{0, "1234567890", "----567890"},
			{1, "1234567890", "1----67890"},
			{6, "1234567890", "123456----"},
			{8, "1234567890", "12345678----"},
			{10, "1234567890", "1234567890----"},
			{0, "12", "----"},
			{0, "", "----"},
		} {
			f.write("/file", c.old)
			before := f.stat("/file").Mode()
			r, err := f.patch("/file", c.offset, "--", "--")
			f.succeeds(err)
			f.visible(Tree{"/file": c.old})
			info, err := r.Commit(f.ctx, storage.Placing{})
			f.succeeds(err)
			f.describes(info, "/file", int64(len(c.want)))
			f.recent(info)
			f.holds(Tree{"/file": c.want})
			if after := f.stat("/file").Mode(); after != before {
				f.t.Errorf("the mode was %v and is %v", before, after)
			}
		}
	}},
	{"PatchFileLarge", func(f *fixture) {
		content := noise(large)
		f.write("/file", string(content))
		const offset = large/2 + 1
		r, err := f.patch("/file", offset, "patch")
		f.succeeds(err)
		_, err = r.Commit(f.ctx, storage.Placing{})
		f.succeeds(err)
		copy(content[offset:], "patch")
		if readFile(f.t, f.FS, "/file") != string(content) {
			f.t.Error("the file is not the old content with the patch")
		}
	}},
	{"PatchFileOfNothing", func(f *fixture) {
		r, err := f.patch("/new", 0, "content")
		f.succeeds(err)
		_, err = r.Commit(f.ctx, storage.Placing{Create: true})
		f.succeeds(err)
		f.holds(Tree{"/new": "content"})
	}},
	{"PatchFileRefused", func(f *fixture) {
		f.write("/file", "old")
		for _, name := range []string{"/file", "/new"} {
			_, err := storage.ReplaceFile(f.ctx, f.FS, name, storage.Replacing{
				Perm: 0o666, Patch: func(fs.FileInfo) (int64, error) { return 0, errFault },
			})
			if err != errFault { //nolint:errorlint // the contract says that errors are returned unchanged
				f.t.Errorf("error %v, want %v", err, errFault)
			}
		}
		f.holds(Tree{"/file": "old"})
	}},
	{"PatchFileChanged", func(f *fixture) {
		for name, change := range map[string]func(){
			"other content":       func() { f.commits("/file", "changed", false) },
			"same size":           func() { f.commits("/file", "new", false) },
			"the file is missing": func() { f.succeeds(f.RemoveAll(f.ctx, "/file")) },
		} {
			f.write("/file", "old")
			r, err := f.patch("/file", 3, "er")
			f.succeeds(err)
			change()
			var want Tree
			if name == "the file is missing" {
				want = Tree{}
			} else {
				want = Tree{"/file": readFile(f.t, f.FS, "/file")}
			}
			_, err = r.Commit(f.ctx, storage.Placing{})
			f.fails(err, storage.ErrChanged)
			f.holds(want)
		}
	}},
	{"PatchFileDiscard", func(f *fixture) {
		f.write("/file", "old")
		r, err := f.patch("/file", 1, "new")
		f.succeeds(err)
		f.succeeds(r.Discard())
		f.holds(Tree{"/file": "old"})
	}},
	{"PatchFileFaults", patchFileFaults},
	{"ConcurrentPatchFile", func(f *fixture) {
		f.write("/file", "")
		var added [workers]int
		f.all(func(worker int) error {
			for range rounds {
				r, err := f.patch("/file", -1, "x")
				if err == nil {
					_, err = r.Commit(f.ctx, storage.Placing{})
				}
				if err == nil {
					added[worker]++
				} else if !errors.Is(err, storage.ErrChanged) {
					return err
				}
			}
			return nil
		})
		total := 0
		for _, n := range added {
			total += n
		}
		if got := len(readFile(f.t, f.FS, "/file")); total == 0 || got > total {
			f.t.Errorf("the file has %d bytes, but only %d were appended", got, total)
		}
		f.holdsNothingReserved()
	}},
}

// patch starts to write parts to name at offset, or at its end if offset is -1.
func (f replaces) patch(name string, offset int64, parts ...string) (storage.Replacement, error) {
	r, err := storage.ReplaceFile(f.ctx, f.FS, name, storage.Replacing{
		Perm: 0o666,
		Size: int64(len(strings.Join(parts, ""))),
		Patch: func(old fs.FileInfo) (int64, error) {
			if offset < 0 {
				return old.Size(), nil
			}
			return offset, nil
		},
	})
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		if _, err := io.WriteString(r, part); err != nil {
			return nil, errors.Join(err, r.Discard())
		}
	}
	return r, nil
}

// patchFileFaults makes each call of a patch fail, one after the other.
func patchFileFaults(f *fixture) {
	for n, failed := 1, true; failed; n++ {
		f.write("/file", "1234567890")
		calls := 0
		failed = false
		backend := f.FS
		f.FS = &Fault{FS: backend, Before: func(string, string) error {
			if calls++; calls == n {
				failed = true
				return errFault
			}
			return nil
		}}
		r, err := f.patch("/file", 8, "--", "--")
		if err == nil {
			_, err = r.Commit(f.ctx, storage.Placing{})
		}
		f.FS = backend
		if err == nil {
			f.holds(Tree{"/file": "12345678----"})
		} else {
			f.fails(err, errFault)
			f.holds(Tree{"/file": "1234567890"})
		}
		f.succeeds(f.RemoveAll(f.ctx, "/file"))
	}
}

// replaceFileChecked checks that Check gets the existing file, and that its error refuses the
// replacement.
func replaceFileChecked(f *fixture) {
	f.write("/file", "old")
	for name, want := range map[string]int64{"/file": 3, "/new": -1} {
		told := int64(-2)
		r, err := storage.ReplaceFile(f.ctx, f.FS, name, storage.Replacing{Perm: 0o666, Check: sizeOf(&told)})
		f.succeeds(err)
		f.succeeds(r.Discard())
		if told != want {
			f.t.Errorf("%s: Check got %d bytes, want %d", name, told, want)
		}
		_, err = storage.ReplaceFile(f.ctx, f.FS, name, storage.Replacing{
			Perm: 0o666, Check: func(fs.FileInfo) error { return errFault },
		})
		if err != errFault { //nolint:errorlint // the contract says that errors are returned unchanged
			f.t.Errorf("error %v, want %v", err, errFault)
		}
	}
	f.holds(Tree{"/file": "old"})
}

// replaceFileCheckedAtCommit checks that Check gets the file that exists at the commit.
func replaceFileCheckedAtCommit(f *fixture) {
	r := f.replace("/file", "new")
	f.write("/file", "early")
	told := int64(-2)
	_, err := r.Commit(f.ctx, storage.Placing{Check: func(old fs.FileInfo) error {
		return errors.Join(sizeOf(&told)(old), errFault)
	}})
	f.fails(err, errFault)
	if told != 5 {
		f.t.Errorf("Check got %d bytes, want 5", told)
	}
	f.holds(Tree{"/file": "early"})
	// Check may use the storage.
	r = f.replace("/file", "new")
	_, err = r.Commit(f.ctx, storage.Placing{Check: func(fs.FileInfo) error {
		_, err := f.Stat(f.ctx, "/file")
		return errors.Join(err, f.Mkdir(f.ctx, "/dir", 0o777))
	}})
	f.succeeds(err)
	f.holds(Tree{"/file": "new", "/dir": collection})
}

// sizeOf returns a Check that stores the size of the existing file in told, or -1 if none exists.
func sizeOf(told *int64) func(fs.FileInfo) error {
	return func(old fs.FileInfo) error {
		*told = -1
		if old != nil {
			*told = old.Size()
		}
		return nil
	}
}

// replaceFileInManyWays checks that the options don't affect the content.
func replaceFileInManyWays(f *fixture) {
	for _, brief := range []bool{false, true} {
		for _, size := range []int64{0, 3, 1 << 20} {
			for _, sync := range []storage.Sync{"", storage.SyncNever, storage.SyncClose, storage.SyncAlways} {
				for _, content := range []string{"new", "newer", ""} {
					name := fmt.Sprintf("/%t-%d-%s", brief, size, sync)
					r, err := storage.ReplaceFile(f.ctx, f.FS, name, storage.Replacing{Perm: 0o666, Size: size, Brief: brief})
					f.succeeds(err)
					f.put(r, content)
					info, err := r.Commit(f.ctx, storage.Placing{Sync: sync})
					f.succeeds(err)
					f.describes(info, name, int64(len(content)))
					if got := readFile(f.t, f.FS, name); got != content {
						f.t.Errorf("%s reads %q, want %q", name, got, content)
					}
				}
			}
		}
	}
	f.holdsNothingReserved()
}

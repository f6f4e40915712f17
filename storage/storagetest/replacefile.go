package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/davd/davd/storage"
)

var wholeFileChecks = []check{
	{"ReplaceFile", func(f *fixture) {
		f.mkdir("/dir")
		want := Tree{"/dir": collection}
		for _, size := range []int{0, 1, 100_000} {
			name, content := fmt.Sprintf("/dir/%d", size), string(noise(size))
			r := f.replace(name, content)
			f.missing(name)
			f.visible(want)
			info, err := r.Commit(f.ctx, storage.Placing{})
			f.succeeds(err)
			f.describes(info, name, int64(size))
			f.recent(info)
			f.succeeds(r.Discard())
			want[name] = content
			f.holds(want)
		}
	}},
	{"ReplaceFileOfFile", func(f *fixture) {
		want := Tree{"/file": "old, longer", "/other": "x"}
		WriteTree(f.t, f.FS, want)
		old := f.open("/file", os.O_RDONLY)
		f.get(old, 3, "old")
		r := f.replace("/file", "new")
		f.visible(want)
		info, err := r.Commit(f.ctx, storage.Placing{})
		f.succeeds(err)
		f.describes(info, "/file", 3)
		f.get(old, 8, ", longer")
		f.holds(Tree{"/file": "new", "/other": "x"})
	}},
	{"ReplaceFileInParts", func(f *fixture) {
		content := noise(large)
		r := f.replace("/file", string(content[:1000]))
		_, err := io.Copy(r, bytes.NewReader(content[1000:]))
		f.succeeds(err)
		_, err = r.Commit(f.ctx, storage.Placing{})
		f.succeeds(err)
		if readFile(f.t, f.FS, "/file") != string(content) {
			f.t.Error("the file doesn't have the content that was written")
		}
	}},
	{"ReplaceFileReadFails", func(f *fixture) {
		f.write("/file", "old")
		r := f.replace("/file", "")
		_, err := io.Copy(r, io.MultiReader(bytes.NewReader(noise(100_000)), errReader{}))
		if err != errFault { //nolint:errorlint // the reader's own error must not be wrapped
			f.t.Errorf("error %v, want %v", err, errFault)
		}
		f.succeeds(r.Discard())
		f.holds(Tree{"/file": "old"})
	}},
	{"ReplaceFileCreate", func(f *fixture) {
		f.commits("/file", "new", true)
		f.holds(Tree{"/file": "new"})
		f.fails(f.tryReplace("/file", "newer", true), fs.ErrExist)
		f.holds(Tree{"/file": "new"})
		r := f.replace("/other", "late")
		f.write("/other", "early")
		_, err := r.Commit(f.ctx, storage.Placing{Create: true})
		f.fails(err, fs.ErrExist)
		f.holds(Tree{"/file": "new", "/other": "early"})
	}},
	{"ReplaceFileAppeared", func(f *fixture) {
		r := f.replace("/file", "late")
		f.write("/file", "early")
		_, err := r.Commit(f.ctx, storage.Placing{})
		f.succeeds(err)
		f.holds(Tree{"/file": "late"})
		r = f.replace("/file", "last")
		f.succeeds(storage.Remove(f.ctx, f.FS, "/file"))
		_, err = r.Commit(f.ctx, storage.Placing{Create: true})
		f.succeeds(err)
		f.holds(Tree{"/file": "last"})
	}},
	{"ReplaceFileDiscard", replaceFileDiscard},
	{"ReplaceFileTimes", replaceFileTimes},
	{"ReplaceFilePermissions", func(f *fixture) {
		f.commits("/new", "x", false)
		if got, want := f.stat("/new").Mode().Perm(), fs.FileMode(0o666); got&^want != 0 || got&0o600 != 0o600 {
			f.t.Errorf("permissions %o, want %o, or less because of the umask", got, want)
		}
		for _, perm := range []fs.FileMode{0o600, 0o640, 0o700} {
			name := fmt.Sprintf("/%o", perm)
			file, err := f.OpenFile(f.ctx, name, os.O_RDWR|os.O_CREATE, perm)
			f.succeeds(err)
			f.succeeds(file.Close())
			want := f.stat(name).Mode()
			f.commits(name, "x", false)
			if got := f.stat(name).Mode(); got != want {
				f.t.Errorf("permissions %v, want those of the old file, %v", got, want)
			}
		}
	}},
	{"ReplaceFileOfCollection", func(f *fixture) {
		f.mkdir("/dir", "/empty")
		f.write("/dir/file", "x")
		for _, name := range []string{"/", "/dir", "/empty"} {
			f.fails(f.tryReplace(name, "x", false), syscall.EISDIR)
			f.fails(f.tryReplace(name, "x", true), syscall.EISDIR)
		}
		r := f.replace("/late", "x")
		f.mkdir("/late")
		_, err := r.Commit(f.ctx, storage.Placing{})
		f.fails(err, syscall.EISDIR)
		f.holds(Tree{"/dir": collection, "/empty": collection, "/dir/file": "x", "/late": collection})
	}},
	{"ReplaceFileWithoutParent", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/file", "x")
		for _, name := range []string{"/no/a", "/no/no/a", "/file/a", "/file/a/b"} {
			err := f.tryReplace(name, "x", false)
			f.fails(err, fs.ErrNotExist)
			f.carry(name, err)
		}
		r := f.replace("/dir/file", "x")
		f.succeeds(f.RemoveAll(f.ctx, "/dir"))
		_, err := r.Commit(f.ctx, storage.Placing{})
		f.fails(err, fs.ErrNotExist)
		f.carry("/dir/file", err)
		f.holds(Tree{"/file": "x"})
	}},
	{"ReplaceFileErrorsCarryTheName", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/file", "x")
		f.carry("/dir", f.tryReplace("/dir", "x", false))
		f.carry("/file", f.tryReplace("/file", "x", true))
		r := f.replace("/file", "x")
		f.succeeds(r.Discard())
		_, err := r.Write([]byte("x"))
		f.carry("/file", err)
		_, err = r.Commit(f.ctx, storage.Placing{})
		f.carry("/file", err)
	}},
	{"ReplaceFileCancelled", func(f *fixture) {
		f.write("/file", "old")
		ctx, cancel := context.WithCancel(f.ctx)
		r, err := storage.ReplaceFile(ctx, f.FS, "/file", storage.Replacing{Perm: 0o666})
		f.succeeds(err)
		f.put(r, "new")
		cancel()
		_, err = r.Commit(ctx, storage.Placing{})
		f.fails(err, context.Canceled)
		_, err = storage.ReplaceFile(ctx, f.FS, "/file", storage.Replacing{Perm: 0o666})
		f.fails(err, context.Canceled)
		f.holds(Tree{"/file": "old"})
	}},
	{"ReplaceFileFaults", replaceFileFaults},
	{"ReplaceFileWhileReading", replaceFileWhileReading},
	{"ConcurrentReplaceFile", func(f *fixture) {
		for round := range rounds {
			name := fmt.Sprintf("/%d", round)
			winner := f.oneWins(func(worker int) error {
				return f.tryReplace(name, strconv.Itoa(worker), true)
			}, fs.ErrExist)
			if got := readFile(f.t, f.FS, name); got != strconv.FormatInt(winner, 10) {
				f.t.Errorf("round %d: worker %d won, but the file reads %q", round, winner, got)
			}
		}
		f.holdsNothingReserved()
	}},
}

// errReader is a reader that always fails.
type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errFault }

// replace starts a replacement of name and writes content to it.
func (f replaces) replace(name, content string) storage.Replacement {
	f.t.Helper()
	r, err := storage.ReplaceFile(f.ctx, f.FS, name, storage.Replacing{Perm: 0o666})
	f.succeeds(err)
	f.put(r, content)
	return r
}

// commits replaces the content of name.
func (f replaces) commits(name, content string, create bool) {
	f.t.Helper()
	_, err := f.replace(name, content).Commit(f.ctx, storage.Placing{Create: create})
	f.succeeds(err)
}

// tryReplace replaces the content of name, and returns the error.
func (f replaces) tryReplace(name, content string, create bool) error {
	r, err := storage.ReplaceFile(f.ctx, f.FS, name, storage.Replacing{Perm: 0o666})
	if err != nil {
		return err
	}
	if _, err = io.WriteString(r, content); err != nil {
		return errors.Join(err, r.Discard())
	}
	_, err = r.Commit(f.ctx, storage.Placing{Create: create})
	return err
}

// describes checks that info is what Stat returns for name, a file of size bytes.
func (f replaces) describes(info fs.FileInfo, name string, size int64) {
	f.t.Helper()
	got, want := fs.FormatFileInfo(info), fs.FormatFileInfo(f.stat(name))
	if got != want || info.Size() != size || !info.ModTime().Equal(f.stat(name).ModTime()) {
		f.t.Errorf("Commit returned %s; Stat %s; want both of %d bytes", got, want, size)
	}
	first, _ := storage.Version(info)
	if second, _ := storage.Version(f.stat(name)); first != second {
		f.t.Errorf("Commit returned the version %s; Stat %s", first, second)
	}
}

// visible checks that the storage contains want and, apart from that, only reserved names.
func (f replaces) visible(want Tree) {
	f.t.Helper()
	got := ReadTree(f.t, f.FS, "/")
	for name := range got {
		if storage.Reserved(name) {
			delete(got, name)
		}
	}
	if len(got) != len(want) || !sameTree(want, got) {
		f.t.Errorf("the visible names are %q\nwant %q", got, want)
	}
}

func (f replaces) holdsNothingReserved() {
	f.t.Helper()
	for name := range ReadTree(f.t, f.FS, "/") {
		if storage.Reserved(name) {
			f.t.Errorf("%s was left behind", name)
		}
	}
}

func replaceFileDiscard(f *fixture) {
	f.write("/file", "old")
	want := Tree{"/file": "old"}
	for _, name := range []string{"/file", "/new"} {
		r := f.replace(name, "content")
		f.succeeds(r.Discard())
		f.holds(want)
		f.succeeds(r.Discard())
		if _, err := r.Write([]byte("x")); err == nil {
			f.t.Error("Write after Discard: no error")
		}
		_, err := r.Commit(f.ctx, storage.Placing{})
		f.fails(err)
		f.holds(want)
	}
	r := f.replace("/file", "new")
	_, err := r.Commit(f.ctx, storage.Placing{})
	f.succeeds(err)
	_, err = r.Write([]byte("x"))
	f.fails(err)
	_, err = r.Commit(f.ctx, storage.Placing{})
	f.fails(err)
	f.succeeds(r.Discard())
	f.holds(Tree{"/file": "new"})
}

// replaceFileTimes checks the modification times of replacements, if the backend can set times.
func replaceFileTimes(f *fixture) {
	f.write("/file", "x")
	sets := true
	if err := storage.SetTimes(f.ctx, f.FS, "/file", time.Now()); err != nil {
		f.fails(err, errors.ErrUnsupported)
		sets = false
	}
	want := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, name := range []string{"/file", "/new"} {
		info, err := f.replace(name, "y").Commit(f.ctx, storage.Placing{Modified: want})
		f.succeeds(err)
		f.describes(info, name, 1)
		if sets && info.ModTime().Sub(want).Abs() > timePrecision {
			f.t.Errorf("%s was modified at %v, want %v", name, info.ModTime(), want)
		}
	}
	versions := map[string]bool{}
	for range rounds {
		info, err := f.replace("/file", "same size").Commit(f.ctx, storage.Placing{})
		f.succeeds(err)
		f.recent(info)
		version, _ := storage.Version(info)
		versions[version] = true
	}
	if sets && len(versions) != rounds {
		f.t.Errorf("%d replacements have %d versions", rounds, len(versions))
	}
}

// replaceFileFaults makes the first call of a replacement fail, then the second, and so on until
// all have failed once, both with and without an old file. Each time, the name must have the old
// or the new content, and nothing else may be left behind.
func replaceFileFaults(f *fixture) {
	for _, old := range []Tree{{}, {"/file": "old"}} {
		for n := 1; ; n++ {
			WriteTree(f.t, f.FS, old)
			calls := 0
			failed := ""
			backend := f.FS
			f.FS = &Fault{FS: backend, Before: func(op, name string) error {
				if calls++; calls == n {
					failed = op + " " + name
					return errFault
				}
				return nil
			}}
			err := f.tryReplace("/file", "new", len(old) == 0)
			f.FS = backend
			if err == nil {
				f.holds(Tree{"/file": "new"})
			} else {
				f.fails(err, errFault)
				f.holds(old)
			}
			f.succeeds(f.RemoveAll(f.ctx, "/file"))
			if failed == "" {
				f.succeeds(err)
				if n < 4 {
					f.t.Errorf("only %d calls to fail", n-1)
				}
				break
			}
		}
	}
}

// replaceFileWhileReading checks that readers always see one complete version of the content.
func replaceFileWhileReading(f *fixture) {
	content := func(i int) string { return string(bytes.Repeat([]byte{byte('a' + i)}, 5000+i)) }
	f.commits("/file", content(0), false)
	f.all(func(worker int) error {
		for range rounds {
			if worker%4 == 0 {
				if err := f.tryReplace("/file", content(worker), false); err != nil {
					return err
				}
				continue
			}
			got, err := f.read("/file")
			if err != nil {
				return err
			}
			if got == "" || got != content(int(got[0]-'a')) {
				return fmt.Errorf("the file has %d bytes that no worker has written like this", len(got))
			}
		}
		return nil
	})
	f.holdsNothingReserved()
}

// read returns the content of name.
func (f replaces) read(name string) (string, error) {
	file, err := f.OpenFile(f.ctx, name, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(file)
	return string(content), errors.Join(err, file.Close())
}

package storagetest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/davd/davd/storage"
)

const (
	workers = 16
	rounds  = 25
)

var concurrencyChecks = []check{
	{"ConcurrentExclusive", func(f *fixture) {
		for round := range rounds {
			name := fmt.Sprintf("/%d", round)
			f.oneWins(func(worker int) error {
				file, err := f.OpenFile(f.ctx, name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
				if err != nil {
					return err
				}
				_, err = fmt.Fprint(file, worker)
				return errors.Join(err, file.Close())
			}, fs.ErrExist)
		}
	}},
	{"ConcurrentMkdir", func(f *fixture) {
		for round := range rounds {
			f.oneWins(func(int) error { return f.Mkdir(f.ctx, fmt.Sprintf("/%d", round), 0o777) }, fs.ErrExist)
		}
	}},
	{"ConcurrentRename", func(f *fixture) {
		for round := range rounds {
			src := fmt.Sprintf("/src%d", round)
			f.mkdir(src)
			f.write(src+"/file", "x")
			winner := f.oneWins(func(worker int) error {
				return f.Rename(f.ctx, src, fmt.Sprintf("/dst%d-%d", round, worker))
			}, fs.ErrNotExist)
			f.missing(src)
			if got := readFile(f.t, f.FS, fmt.Sprintf("/dst%d-%d/file", round, winner)); got != "x" {
				f.t.Errorf("round %d: the file reads %q", round, got)
			}
		}
	}},
	{"ConcurrentRemove", func(f *fixture) {
		for range rounds {
			f.write("/file", "x")
			f.oneWins(func(int) error { return storage.Remove(f.ctx, f.FS, "/file") }, fs.ErrNotExist)
		}
	}},
	{"ConcurrentWriters", func(f *fixture) {
		f.write("/file", "0000")
		f.all(func(worker int) error {
			for range rounds {
				if err := f.rewrite("/file", fmt.Sprintf("%04d", worker)); err != nil {
					return err
				}
			}
			return nil
		})
		if got := f.stat("/file").Size(); got != 4 {
			f.t.Errorf("size %d, want 4", got)
		}
	}},
	{"ConcurrentTree", concurrentTree},
	{"ConcurrentStrangers", concurrentStrangers},
}

// all runs task once for each worker, concurrently.
func (f teamwork) all(task func(worker int) error) {
	f.t.Helper()
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			if err := task(worker); err != nil {
				f.t.Errorf("worker %d: %v", worker, err)
			}
		})
	}
	group.Wait()
}

// oneWins checks that task succeeds for exactly one worker and fails with the error lost
// for the others. It returns the worker that succeeded.
func (f teamwork) oneWins(task func(worker int) error, lost error) int64 {
	f.t.Helper()
	var wins, winner atomic.Int64
	f.all(func(worker int) error {
		err := task(worker)
		if err == nil {
			wins.Add(1)
			winner.Store(int64(worker))
		}
		if errors.Is(err, lost) {
			return nil
		}
		return err
	})
	if wins.Load() != 1 {
		f.t.Errorf("%d workers succeeded, want 1", wins.Load())
	}
	return winner.Load()
}

// rewrite overwrites the start of name with content, and then reads the whole file.
func (f teamwork) rewrite(name, content string) error {
	file, err := f.OpenFile(f.ctx, name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, content)
	if err == nil {
		_, err = file.Seek(0, io.SeekEnd)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = io.ReadAll(file)
	}
	return errors.Join(err, file.Close())
}

// concurrentTree checks that each worker can change its own collection while all of them
// share the parent and list it.
func concurrentTree(f *fixture) {
	f.mkdir("/shared")
	f.all(func(worker int) error {
		home := fmt.Sprintf("/shared/%d", worker)
		for range rounds {
			if err := f.errands(home); err != nil {
				return err
			}
		}
		if err := f.Mkdir(f.ctx, home, 0o777); err != nil {
			return err
		}
		return f.rewriteNew(home + "/done")
	})
	want := Tree{"/shared": collection}
	for worker := range workers {
		want[fmt.Sprintf("/shared/%d", worker)] = collection
		want[fmt.Sprintf("/shared/%d/done", worker)] = "done"
	}
	f.holds(want)
}

// errands creates, lists, renames and removes home, which no other worker uses.
func (f teamwork) errands(home string) error {
	if err := f.Mkdir(f.ctx, home, 0o777); err != nil {
		return err
	}
	if err := f.rewriteNew(home + "/file"); err != nil {
		return err
	}
	for _, err := range storage.ReadDir(f.ctx, f.FS, "/shared") {
		if err != nil {
			return err
		}
	}
	if err := f.Rename(f.ctx, home, home+"-moved"); err != nil {
		return err
	}
	if _, err := f.Stat(f.ctx, home+"-moved/file"); err != nil {
		return err
	}
	if err := f.Rename(f.ctx, home+"-moved/file", home+"-moved/other"); err != nil {
		return err
	}
	if err := storage.Remove(f.ctx, f.FS, home+"-moved/other"); err != nil {
		return err
	}
	return f.RemoveAll(f.ctx, home+"-moved")
}

func (f teamwork) rewriteNew(name string) error {
	file, err := f.OpenFile(f.ctx, name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, "done")
	return errors.Join(err, file.Close())
}

// concurrentStrangers lets all workers create, rename, list and remove the same few names.
// A call may fail, but only with an error that the contract allows. In the end the tree must
// be consistent.
func concurrentStrangers(f *fixture) {
	names := []string{"/a", "/a/x", "/b", "/b/x", "/a/x/y"}
	f.all(func(worker int) error {
		for round := range rounds {
			first, second := names[(worker+round)%len(names)], names[(worker*3+round*7)%len(names)]
			for _, err := range []error{
				f.Mkdir(f.ctx, first, 0o777),
				f.tryWrite(second),
				f.Rename(f.ctx, first, second),
				f.look(first),
				f.look("/"),
				storage.Remove(f.ctx, f.FS, second),
				f.Rename(f.ctx, second, first),
				f.removeSome(first, round),
			} {
				if err != nil && !expected(err) {
					return err
				}
			}
		}
		return nil
	})
	for name := range ReadTree(f.t, f.FS, "/") {
		f.stat(name)
	}
	for name := range f.list("/") {
		f.succeeds(f.RemoveAll(f.ctx, "/"+name))
	}
	f.holds(Tree{})
	f.mkdir("/a", "/b")
	f.holds(Tree{"/a": collection, "/b": collection})
}

func (f teamwork) tryWrite(name string) error {
	file, err := f.OpenFile(f.ctx, name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, "content")
	return errors.Join(err, file.Close())
}

// look describes name and lists its members.
func (f teamwork) look(name string) error {
	info, err := f.Stat(f.ctx, name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return nil
	}
	for member, err := range storage.ReadDir(f.ctx, f.FS, name) {
		if err != nil {
			return err
		}
		_ = fs.FormatFileInfo(member)
	}
	return nil
}

func (f teamwork) removeSome(name string, round int) error {
	if round%3 != 0 {
		return nil
	}
	return f.RemoveAll(f.ctx, name)
}

// expected reports whether err may occur while other workers use the same names: a name
// exists, doesn't exist, or is of the other kind.
func expected(err error) bool {
	for _, want := range []error{
		fs.ErrNotExist, fs.ErrExist, fs.ErrInvalid, syscall.EISDIR, syscall.ENOTDIR, syscall.EINVAL,
	} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

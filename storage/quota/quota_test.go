package quota_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/afero"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/quota"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// backends are the kinds of FS that a quota decorates: one that can do everything, one that stages
// files under names, and one without capabilities.
var backends = map[string]func(t *testing.T) storage.FS{
	"local": openLocal,
	"mem":   func(*testing.T) storage.FS { return aferofs.New(afero.NewMemMapFs()) },
	"x-net": func(t *testing.T) storage.FS { return webdav.Dir(t.TempDir()) },
}

func openLocal(t *testing.T) storage.FS {
	t.Helper()
	fsys, err := local.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	return fsys
}

func TestConformance(t *testing.T) {
	for _, name := range []string{"local", "mem"} {
		t.Run(name, func(t *testing.T) {
			suite := storagetest.Suite{New: func(t *testing.T) storage.FS {
				return quota.New(backends[name](t), quota.Options{Limit: 1 << 40})
			}}
			suite.FollowsLinks = name == "local"
			suite.Run(t)
		})
	}
}

// sum returns the bytes of the files in fsys.
func sum(t *testing.T, fsys storage.FS) (total int64) {
	t.Helper()
	err := storage.EachFile(t.Context(), fsys, "/", func(_ string, info fs.FileInfo) {
		if info.Mode().IsRegular() {
			total += info.Size()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// check checks that the usage is the size of the tree, and that a walk agrees.
func check(t *testing.T, q *quota.FS) {
	t.Helper()
	usage, err := q.Usage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := sum(t, q.FS); usage.Used != want || usage.Pending != 0 {
		t.Errorf("the usage is %+v, but the tree has %d bytes", usage, want)
	}
	count, err := q.Recount(t.Context())
	if err != nil || count.Used != usage.Used || count.Before != usage.Used {
		t.Errorf("after the usage %d, a walk found %+v, error %v", usage.Used, count, err)
	}
}

func put(ctx context.Context, fsys storage.FS, name, content string, size int64) error {
	r, err := storage.ReplaceFile(ctx, fsys, name, storage.Replacing{Perm: 0o666, Size: size})
	if err != nil {
		return err
	}
	// Without WriteTo, as a request body.
	if _, err := io.Copy(r, struct{ io.Reader }{strings.NewReader(content)}); err != nil {
		return errors.Join(err, r.Discard())
	}
	_, err = r.Commit(ctx, storage.Placing{})
	return err
}

func over(err error) bool { return errors.Is(err, syscall.EDQUOT) && storage.NoSpace(err) }

// TestEveryWay changes the tree in every way that a storage.FS allows.
func TestEveryWay(t *testing.T) {
	for name, newFS := range backends {
		t.Run(name, func(t *testing.T) {
			inner := newFS(t)
			storagetest.WriteTree(t, inner, storagetest.Tree{"/old": "before davd", "/dir": "/", "/dir/a": "12345"})
			q := quota.New(inner, quota.Options{Limit: 1000})
			check(t, q)
			ctx := t.Context()
			step := func(what string, err error) {
				t.Helper()
				if err != nil {
					t.Errorf("%s: %v", what, err)
				}
				check(t, q)
			}
			step("create", put(ctx, q, "/new", "content", 7))
			step("create, length unknown", put(ctx, q, "/other", "content", 0))
			step("replace by more", put(ctx, q, "/old", "much longer than it was before", 0))
			step("replace by less", put(ctx, q, "/old", "short", 5))
			step("open and write", edit(ctx, q, "/old", os.O_RDWR, func(f storage.File) error {
				_, err := f.Seek(3, io.SeekStart)
				_, werr := f.Write([]byte("way beyond the end"))
				return errors.Join(err, werr)
			}))
			step("a hole", edit(ctx, q, "/hole", os.O_RDWR|os.O_CREATE, func(f storage.File) error {
				_, err := f.Seek(100, io.SeekStart)
				_, werr := f.Write([]byte("x"))
				return errors.Join(err, werr)
			}))
			step("truncate", edit(ctx, q, "/old", os.O_RDWR|os.O_TRUNC, func(f storage.File) error {
				_, err := f.Write([]byte("x"))
				return err
			}))
			step("append", edit(ctx, q, "/old", os.O_RDWR|os.O_APPEND, func(f storage.File) error {
				_, err := f.Write([]byte("more"))
				return err
			}))
			step("patch", patch(ctx, q, "/old", 2, "patched"))
			step("rename", q.Rename(ctx, "/new", "/dir/new"))
			step("rename onto a file", q.Rename(ctx, "/dir/new", "/other"))
			step("rename a collection", q.Rename(ctx, "/dir", "/folder"))
			if err := storage.Exchange(ctx, q, "/folder", "/old"); !errors.Is(err, errors.ErrUnsupported) {
				step("exchange", err)
				step("exchange back", storage.Exchange(ctx, q, "/folder", "/old"))
			}
			engine := tree.Engine{FS: q}
			step("copy", engine.Copy(ctx, "/folder", "/copy", tree.Infinite, nil))
			step("copy onto", engine.Copy(ctx, "/old", "/copy", tree.Infinite, nil))
			step("move onto", engine.Move(ctx, "/folder", "/copy", nil))
			step("remove", engine.Remove(ctx, "/copy", nil))
			step("remove all", q.RemoveAll(ctx, "/old"))
			step("mkdir", q.Mkdir(ctx, "/d", 0o777))
			step("a file in it", put(ctx, q, "/d/f", "content", 0))
			step("remove all of it", q.RemoveAll(ctx, "/d"))
		})
	}
}

func edit(ctx context.Context, fsys storage.FS, name string, flag int, change func(storage.File) error) error {
	f, err := fsys.OpenFile(ctx, name, flag, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(change(f), f.Close())
}

func patch(ctx context.Context, fsys storage.FS, name string, offset int64, content string) error {
	r, err := storage.ReplaceFile(ctx, fsys, name, storage.Replacing{
		Perm: 0o666, Size: int64(len(content)), Patch: func(fs.FileInfo) (int64, error) { return offset, nil },
	})
	if err != nil {
		return err
	}
	_, err = r.Write([]byte(content))
	if err != nil {
		return errors.Join(err, r.Discard())
	}
	_, err = r.Commit(ctx, storage.Placing{})
	return err
}

// TestExceeded checks that nothing is left of what exceeds the limit.
func TestExceeded(t *testing.T) {
	for name, newFS := range backends {
		t.Run(name, func(t *testing.T) {
			inner := newFS(t)
			storagetest.WriteTree(t, inner, storagetest.Tree{"/a": "0123456789", "/dir": "/", "/dir/b": "0123456789"})
			q := quota.New(inner, quota.Options{Limit: 30})
			ctx := t.Context()
			refused := func(what string, err error) {
				t.Helper()
				if !over(err) {
					t.Errorf("%s: error %v", what, err)
				}
				check(t, q)
			}
			refused("a known length", put(ctx, q, "/c", strings.Repeat("x", 11), 11))
			refused("an unknown length", put(ctx, q, "/c", strings.Repeat("x", 11), 0))
			refused("more than announced", put(ctx, q, "/c", strings.Repeat("x", 11), 5))
			refused("an old file counts until its replacement is in place", put(ctx, q, "/a", strings.Repeat("x", 11), 0))
			q.SetLimit(29)
			refused("a copy", tree.Engine{FS: q}.Copy(ctx, "/dir", "/copy", tree.Infinite, nil))
			if copied := storage.CopyMember(ctx, q, "/a", "/copy", describe(t, q, "/a"), nil); !over(copied) {
				t.Errorf("a copy of a file: error %v", copied)
			}
			q.SetLimit(30)
			if err := put(ctx, q, "/c", "exactly 10", 10); err != nil {
				t.Errorf("exactly the limit: error %v", err)
			}
			check(t, q)
			refused("one byte too many", put(ctx, q, "/d", "x", 1))
			refused("a patch", patch(ctx, q, "/a", 10, "x"))
			refused("appending", edit(ctx, q, "/a", os.O_WRONLY|os.O_APPEND, func(f storage.File) error {
				_, err := f.Write([]byte("x"))
				return err
			}))
			if err := edit(ctx, q, "/a", os.O_RDWR, func(f storage.File) error {
				_, err := f.Write([]byte("overwritten"[:10]))
				return err
			}); err != nil {
				t.Errorf("writing in place: error %v", err)
			}
			if used, available, err := storage.Space(ctx, q, "/"); err != nil || used != 30 || available != 0 {
				t.Errorf("used %d, available %d, error %v", used, available, err)
			}
			q.SetLimit(20)
			if used, available, err := storage.Space(ctx, q, "/"); err != nil || used != 30 || available != 0 {
				t.Errorf("with a smaller limit, used %d, available %d, error %v", used, available, err)
			}
			q.SetLimit(0)
			if err := put(ctx, q, "/d", "x", 1); err != nil {
				t.Errorf("without a limit: error %v", err)
			}
			check(t, q)
		})
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

// TestReserved checks that announced content reserves its room, until it is discarded.
func TestReserved(t *testing.T) {
	q := quota.New(openLocal(t), quota.Options{Limit: 10})
	r, err := storage.ReplaceFile(t.Context(), q, "/a", storage.Replacing{Perm: 0o666, Size: 8})
	if err != nil {
		t.Fatal(err)
	}
	if usage, err := q.Usage(t.Context()); err != nil || usage != (quota.Usage{Pending: 8, Limit: 10}) {
		t.Errorf("the usage is %+v, error %v", usage, err)
	}
	if err := put(t.Context(), q, "/b", "xyz", 3); !over(err) {
		t.Errorf("error %v", err)
	}
	if err := r.Discard(); err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), q, "/b", "xyz", 3); err != nil {
		t.Error(err)
	}
	check(t, q)
}

// TestRemovedWhileOpen checks that writes to a removed file count until it is closed.
func TestRemovedWhileOpen(t *testing.T) {
	q := quota.New(openLocal(t), quota.Options{Limit: 10})
	err := edit(t.Context(), q, "/a", os.O_RDWR|os.O_CREATE, func(f storage.File) error {
		if _, err := f.Write([]byte("12345")); err != nil {
			return err
		}
		if err := storage.Remove(t.Context(), q, "/a"); err != nil {
			return err
		}
		if _, err := f.Write([]byte("12345678")); err != nil {
			return err
		}
		if usage, _ := q.Usage(t.Context()); usage.Used != 0 || usage.Pending != 8 {
			t.Errorf("the usage is %+v", usage)
		}
		if _, err := f.Write([]byte("123")); !over(err) {
			t.Errorf("error %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, q)
}

// TestConcurrentWriters has 32 writers at the limit. The tree never exceeds it by a byte.
func TestConcurrentWriters(t *testing.T) {
	for name, newFS := range backends {
		t.Run(name, func(t *testing.T) {
			const limit = 20_000
			inner := newFS(t)
			q := quota.New(inner, quota.Options{Limit: limit})
			end := time.Now().Add(time.Second / 2)
			var writers, watchers sync.WaitGroup
			var done, refused atomic.Int64
			for w := range 32 {
				writers.Go(func() {
					for n := 0; time.Now().Before(end); n++ {
						size := (w*131+n*977)%3000 + 1
						content := strings.Repeat("x", size)
						name := fmt.Sprintf("/f%d", (w+n)%24) // several writers change one file
						var err error
						switch n % 5 {
						case 0:
							err = put(t.Context(), q, name, content, int64(size))
						case 1:
							err = put(t.Context(), q, name, content, 0)
						case 2:
							err = q.RemoveAll(t.Context(), name)
						case 3:
							err = edit(t.Context(), q, name, os.O_RDWR|os.O_CREATE, func(f storage.File) error {
								_, err := f.Write([]byte(content))
								return err
							})
						case 4:
							err = q.Rename(t.Context(), name, fmt.Sprintf("/f%d", (w+n+7)%24))
						}
						switch {
						case err == nil:
							done.Add(1)
						case over(err):
							refused.Add(1)
						case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist):
							t.Error(err)
						}
					}
				})
			}
			watchers.Go(func() {
				for time.Now().Before(end) {
					if usage, err := q.Usage(t.Context()); err != nil || usage.Used+usage.Pending > limit {
						t.Errorf("the usage is %+v, error %v", usage, err)
					}
				}
			})
			writers.Wait()
			watchers.Wait()
			if got := sum(t, inner); got > limit {
				t.Errorf("the tree has %d bytes", got)
			}
			if done.Load() == 0 || refused.Load() == 0 {
				t.Errorf("%d done, %d refused", done.Load(), refused.Load())
			}
			check(t, q)
		})
	}
}

// TestRecountWhileWriting recounts again and again while the tree changes in every way. Each
// walk finds exactly what the usage says already.
func TestRecountWhileWriting(t *testing.T) {
	for name, newFS := range backends {
		t.Run(name, func(t *testing.T) {
			var walks atomic.Int64
			q := quota.New(newFS(t), quota.Options{Limit: 1 << 40, Counted: func(c quota.Count) {
				walks.Add(1)
				if c.Err != nil || !c.First && c.Used != c.Before {
					t.Errorf("a walk found %+v", c)
				}
			}})
			for d := range 12 {
				dir := fmt.Sprintf("/d%d", d)
				for _, sub := range []string{dir, dir + "/sub", dir + "/sub/deep"} {
					if err := q.Mkdir(t.Context(), sub, 0o777); err != nil {
						t.Fatal(err)
					}
				}
			}
			end := time.Now().Add(time.Second)
			var changers sync.WaitGroup
			for w := range 8 {
				changers.Go(func() { changeAtRandom(t, q, w, end) })
			}
			for time.Now().Before(end) {
				if _, err := q.Recount(t.Context()); err != nil {
					t.Error(err)
				}
			}
			changers.Wait()
			check(t, q)
			if walks.Load() < 3 {
				t.Errorf("only %d walks", walks.Load())
			}
		})
	}
}

func changeAtRandom(t *testing.T, q *quota.FS, w int, end time.Time) {
	state := uint32(w + 1)
	pick := func(n int) int {
		state = state*1664525 + 1013904223
		return int(state>>16) % n
	}
	dir := func() string {
		return fmt.Sprintf("/d%d%s", pick(12), []string{"", "/sub", "/sub/deep"}[pick(3)])
	}
	file := func() string { return path.Join(dir(), fmt.Sprintf("f%d", pick(4))) }
	engine := tree.Engine{FS: q}
	for n := 0; time.Now().Before(end); n++ {
		content := strings.Repeat("x", pick(2000))
		var err error
		switch pick(12) {
		case 0, 1, 2:
			err = put(t.Context(), q, file(), content, 0)
		case 3:
			err = edit(t.Context(), q, file(), os.O_RDWR|os.O_CREATE|os.O_TRUNC, func(f storage.File) error {
				_, err := f.Write([]byte(content))
				time.Sleep(time.Millisecond)
				_, again := f.Write([]byte(content))
				return errors.Join(err, again)
			})
		case 4:
			err = q.Rename(t.Context(), file(), file())
		case 5:
			err = q.Rename(t.Context(), dir(), dir())
		case 6:
			// A collection of its own, so that no two copies have the same name.
			err = engine.Copy(t.Context(), dir(), fmt.Sprintf("/copy%d", w), tree.Infinite, nil)
		case 7:
			err = q.RemoveAll(t.Context(), fmt.Sprintf("/copy%d", w))
		case 8:
			err = storage.Exchange(t.Context(), q, dir(), dir())
		case 9:
			err = storage.Remove(t.Context(), q, file())
		case 10:
			err = q.Mkdir(t.Context(), dir(), 0o777)
		case 11:
			err = storage.Exchange(t.Context(), q, file(), dir())
		}
		_ = err // Many of these names don't exist at the time.
	}
}

// TestOthers checks that changes of others are included after a walk.
func TestOthers(t *testing.T) {
	inner := openLocal(t)
	q := quota.New(inner, quota.Options{Limit: 100})
	if usage, err := q.Usage(t.Context()); err != nil || usage.Used != 0 {
		t.Fatal(usage, err)
	}
	storagetest.WriteTree(t, inner, storagetest.Tree{"/theirs": "12345"})
	if usage, err := q.Usage(t.Context()); err != nil || usage.Used != 0 {
		t.Error(usage, err)
	}
	if count, err := q.Recount(t.Context()); err != nil || count.Used != 5 || count.Before != 0 || count.Files != 1 {
		t.Error(count, err)
	}
	check(t, q)
}

// TestFirstCountFails checks that nothing is written while the tree can't be counted.
func TestFirstCountFails(t *testing.T) {
	fail := errors.New("no answer")
	fault := &storagetest.Fault{FS: openLocal(t), Before: func(op, _ string) error {
		if op == "open" {
			return fail
		}
		return nil
	}}
	q := quota.New(fault, quota.Options{Limit: 100})
	if err := put(t.Context(), q, "/a", "x", 1); !errors.Is(err, fail) {
		t.Errorf("error %v", err)
	}
	fault.Before = nil
	if err := put(t.Context(), q, "/a", "x", 1); err != nil {
		t.Errorf("error %v", err)
	}
}

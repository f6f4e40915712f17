package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/sweep"
	"github.com/davd/davd/storage/tree"
)

// linked is a share whose collection /src contains links, and a directory outside it.
type linked struct {
	storage.FS
	dir, outside string
}

// precious is the content of files that links lead to. Nothing may change it.
const precious = "precious"

// linkTexts holds the texts of the links in /src. In them, OUT stands for the directory
// outside the share.
var linkTexts = map[string]string{
	"/src/near": "f", "/src/d/up": "../../kept", "/src/d/file": "../../kept/k", "/src/dangling": "no/../where", "/src/loop": "loop",
	"/src/self": ".", "/src/d/over": "..", "/src/out": "OUT", "/src/secret": "OUT/secret",
}

// fewLinks are enough where each call costs a run.
var fewLinks = []string{"/src/d/up", "/src/dangling", "/src/out"}

// newLinked returns a share. Its links in /src are those called names; all, if there
// are no names.
func newLinked(t testing.TB, names ...string) linked {
	t.Helper()
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(linkTexts))
	}
	fsys, dir := newLocal(t)
	l := linked{fsys, dir, t.TempDir()}
	build(t, fsys, layout{"/src/f": "one", "/src/d/g": "three", "/kept/k": precious})
	noError(t, os.WriteFile(filepath.Join(l.outside, "secret"), []byte(precious), 0o644))
	for _, name := range names {
		symlink(t, dir, name, strings.Replace(linkTexts[name], "OUT", l.outside, 1))
	}
	return l
}

// texts returns the texts of the links below root, by name.
func (l linked) texts(t testing.TB, root string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for name, what := range snapshot(t, l.FS).below(root) {
		if what == link {
			text, err := os.Readlink(filepath.Join(l.dir, root, name))
			noError(t, err)
			texts[name] = text
		}
	}
	return texts
}

// untouched says which target of a link was changed; "" if none was.
func (l linked) untouched(t testing.TB) string {
	t.Helper()
	for _, file := range []string{filepath.Join(l.outside, "secret"), filepath.Join(l.dir, "kept", "k")} {
		content, err := os.ReadFile(file)
		entries, dirErr := os.ReadDir(filepath.Dir(file))
		if err != nil || dirErr != nil || string(content) != precious || len(entries) != 1 {
			return fmt.Sprintf("a link's target is %q (%v) among %v (%v)", content, err, entries, dirErr)
		}
	}
	return ""
}

func TestCopyLinksAsLinks(t *testing.T) {
	l := newLinked(t)
	past := time.Unix(1e9, 0)
	targets := []string{filepath.Join(l.outside, "secret"), l.outside, filepath.Join(l.dir, "kept"), filepath.Join(l.dir, "kept/k")}
	for _, target := range targets {
		noError(t, os.Chtimes(target, past, past))
	}
	build(t, l.FS, layout{"/src/.davd-x/f": "reserved"})
	symlink(t, l.dir, "src/.davd-link", "f")
	mkfifo(t, l.dir, "src/fifo")
	want := l.texts(t, "/src")
	delete(want, "/.davd-link")
	mon := new(tree.Monitor)
	noError(t, tree.Engine{FS: l.FS, CopyLinks: true}.Copy(t.Context(), "/src", "/dst", tree.Infinite, mon))
	if got := l.texts(t, "/dst"); !maps.Equal(got, want) || len(got) != len(linkTexts) {
		t.Errorf("the links say %q\nwant %q", got, want)
	}
	was := snapshot(t, l.FS).below("/src").without("/.davd-x").without("/.davd-link").without("/fifo")
	if d := diff(snapshot(t, l.FS).below("/dst"), was); d != "" {
		t.Errorf("wrong copy:%s", d)
	}
	exact(t, mon, int64(len(was)), int64(len("one")+len("three")))
	for _, target := range targets {
		info, err := os.Stat(target)
		noError(t, err)
		if !info.ModTime().Equal(past) {
			t.Errorf("%s was modified", target)
		}
	}
	if wrong := l.untouched(t); wrong != "" {
		t.Error(wrong)
	}
}

// TestCopyManyLinks copies more links than a batch holds. The collection gets its
// modification time after the last of them.
func TestCopyManyLinks(t *testing.T) {
	const links = 300
	fsys, dir := newLocal(t)
	mkdir(t, fsys, "/src")
	for i := range links {
		symlink(t, dir, fmt.Sprintf("src/%03d", i), "nowhere")
	}
	past := time.Unix(1e9, 0)
	noError(t, os.Chtimes(filepath.Join(dir, "src"), past, past))
	mon := new(tree.Monitor)
	noError(t, tree.Engine{FS: fsys, CopyLinks: true}.Copy(t.Context(), "/src", "/dst", tree.Infinite, mon))
	exact(t, mon, 1+links, 0)
	if got := len(snapshot(t, fsys).below("/dst")); got != 1+links {
		t.Errorf("%d members, want %d", got, 1+links)
	}
	info, err := os.Stat(filepath.Join(dir, "dst"))
	noError(t, err)
	if !info.ModTime().Equal(past) {
		t.Errorf("the collection was modified %v, want %v", info.ModTime(), past)
	}
}

// TestCopyLinksSource: a link that the request itself names is followed.
func TestCopyLinksSource(t *testing.T) {
	for src, want := range map[string]layout{
		"/src/near": {"": "one"}, "/src/d/up": {"": collection, "/k": precious},
	} {
		l := newLinked(t)
		noError(t, tree.Engine{FS: l.FS, CopyLinks: true}.Copy(t.Context(), src, "/dst", tree.Infinite, nil))
		if d := diff(snapshot(t, l.FS).below("/dst"), want); d != "" {
			t.Errorf("%s: wrong copy:%s", src, d)
		}
	}
}

// TestCopyLinksUnsupported: each link is named as failed, and the rest is copied.
func TestCopyLinksUnsupported(t *testing.T) {
	l := newLinked(t)
	err := tree.Engine{FS: lstater{l.FS}, CopyLinks: true}.Copy(t.Context(), "/src", "/dst", tree.Infinite, nil)
	failed(t, err, errors.ErrUnsupported, slices.Collect(maps.Keys(linkTexts))...)
	if d := diff(snapshot(t, l.FS).below("/dst"), layout{"/f": "one", "/d/g": "three"}.full().with("", layout{"": collection, "/d": collection})); d != "" {
		t.Errorf("wrong copy:%s", d)
	}
}

// lstater is an FS that shows links but can't copy them.
type lstater struct{ storage.FS }

func (l lstater) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return storage.Lstat(ctx, l.FS, name)
}

// TestMoveLinkNewcomer: a link that is created in the source while a MOVE copies it was
// not copied, so it is not removed.
func TestMoveLinkNewcomer(t *testing.T) {
	l := newLinked(t)
	var once sync.Once
	fsys := &storagetest.Fault{FS: renamings[1].of(l.FS), Before: func(op, name string) error {
		if op == "rename" && storage.Reserved(name) { // Everything is copied.
			once.Do(func() { symlink(t, l.dir, "src/late", "nowhere") })
		}
		return nil
	}}
	err := tree.Engine{FS: fsys, CopyLinks: true}.Move(t.Context(), "/src", "/dst", nil)
	failed(t, err, fs.ErrExist, "/src/late")
	if _, err := os.Lstat(filepath.Join(l.dir, "src/late")); err != nil {
		t.Errorf("the newcomer: %v", err)
	}
	if wrong := l.untouched(t); wrong != "" {
		t.Error(wrong)
	}
}

// linkOperations are the operations of a sweep that copies links as links.
func linkOperations() []operation {
	var ops []operation
	for _, op := range operations() {
		method, _, _ := strings.Cut(op.name, ",")
		op.run = func(ctx context.Context, fsys storage.FS) error {
			return engineRun(ctx, op, tree.Engine{FS: fsys, CopyLinks: true})
		}
		if method != "remove" {
			ops = append(ops, op)
		}
	}
	return ops
}

// A linkFault is what happens at call n.
type linkFault struct {
	name  string
	fault func(call, n int) error
}

// killed is the value of the panic that stands for a kill.
type killed struct{}

var linkFaults = []linkFault{
	{"fails", func(call, n int) error {
		if call == n {
			return []error{syscall.EIO, syscall.ENOSPC, fs.ErrPermission}[n%3]
		}
		return nil
	}},
	{"and all later fail", func(call, n int) error {
		if call >= n {
			return syscall.EIO
		}
		return nil
	}},
	{"is the last", func(call, n int) error {
		if call >= n {
			panic(killed{})
		}
		return nil
	}},
}

// TestCopyLinksFaults: whatever happens to a call, no reserved name is left,
// immediately or after a restart without CopyLinks. The destination is old, or new with
// each link as it was. The targets of the links are untouched.
func TestCopyLinksFaults(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		return // as in sweep, for a directory
	}
	for _, op := range linkOperations() {
		for _, d := range []layout{{}, {"/dst/x": "old"}} {
			for _, f := range linkFaults {
				t.Run(fmt.Sprintf("%s onto %d/a call %s", op.name, len(d), f.name), func(t *testing.T) {
					t.Parallel()
					calls := faultLinks(t, op, d, f, math.MaxInt)
					if calls < 3 {
						t.Errorf("only %d calls", calls)
					}
					for _, n := range sweep.Steps(t, calls, 6) {
						faultLinks(t, op, d, f, n)
					}
				})
			}
		}
	}
}

// faultLinks makes f happen at call n, and returns how many calls there were.
func faultLinks(t *testing.T, op operation, old layout, f linkFault, n int) int {
	t.Helper()
	l := newLinked(t, fewLinks...)
	build(t, l.FS, old)
	was, texts := snapshot(t, l.FS), l.texts(t, "/src")
	var calls atomic.Int64
	fail := func() error { return f.fault(int(calls.Add(1)), n) }
	journal := &memJournal{fail: fail}
	faulty := op.of(&storagetest.Fault{FS: l.FS, Before: func(string, string) error { return fail() }})
	err := func() (err error) {
		defer func() {
			if cause := recover(); cause != nil && cause != any(killed{}) {
				panic(cause)
			}
		}()
		return engineRun(t.Context(), op, tree.Engine{FS: faulty, Journal: journal, CopyLinks: true})
	}()
	journal.fail = nil
	recovered, recoverErr := tree.Engine{FS: op.of(l.FS), Journal: journal}.Recover(t.Context())
	about := fmt.Sprintf("call %d %s: error %v, recovered %+v, %v", n, f.name, err, recovered, recoverErr)
	is := snapshot(t, l.FS)
	if left := is.reserved(); len(left) > 0 || len(journal.ids) > 0 || recoverErr != nil {
		t.Errorf("%s: left are %q and %q", about, left, journal.ids)
	}
	if wrong := l.untouched(t); wrong != "" {
		t.Errorf("%s: %s", about, wrong)
	}
	r := trial{operation: op, was: was, is: is, err: err}
	if p := r.recovered(); p != "" {
		t.Errorf("%s: %s", about, p)
	}
	for _, root := range []string{"/src", "/dst"} {
		for name, text := range l.texts(t, root) {
			if text != texts[name] {
				t.Errorf("%s: %s%s says %q, want %q", about, root, name, text, texts[name])
			}
		}
	}
	return int(calls.Load())
}

package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/afero"
	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/tree"
)

// layout describes a tree. It maps the name of a file to its content, that of a
// collection to collection, that of a symbolic link to link, and any other name to
// special.
type layout map[string]string

const (
	collection = "\x00collection"
	link       = "\x00link"
	special    = "\x00special"
)

// maxWorkers is how many goroutines may work on trees at a time.
const maxWorkers = 8

// backends are those that run the tests for every backend.
var backends = []struct {
	name string
	open func(t testing.TB) storage.FS
}{
	{"local", func(t testing.TB) storage.FS { fsys, _ := newLocal(t); return fsys }},
	{"aferofs", func(testing.TB) storage.FS { return aferofs.New(afero.NewMemMapFs()) }},
	{"memfs", func(testing.TB) storage.FS { return webdav.NewMemFS() }},
}

// newLocal returns an empty local share and the directory it serves.
func newLocal(t testing.TB) (storage.FS, string) {
	t.Helper()
	dir := t.TempDir()
	fsys, err := local.Open(dir)
	noError(t, err)
	t.Cleanup(func() { _ = fsys.Close() })
	return fsys, dir
}

// build creates what l describes, including parents.
func build(t testing.TB, fsys storage.FS, l layout) {
	t.Helper()
	ctx := context.Background()
	for _, name := range slices.Sorted(maps.Keys(l)) {
		for i := 1; i < len(name); i++ {
			if name[i] == '/' {
				mkdir(t, fsys, name[:i])
			}
		}
		if l[name] == collection {
			mkdir(t, fsys, name)
			continue
		}
		f, err := fsys.OpenFile(ctx, name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, l[name]); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func mkdir(t testing.TB, fsys storage.FS, name string) {
	t.Helper()
	err := fsys.Mkdir(context.Background(), name, 0o755)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
}

// symlink creates the link name in the share in dir.
func symlink(t testing.TB, dir, name, target string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
		t.Skip(err)
	}
}

// mkfifo creates a FIFO in the share in dir.
func mkfifo(t testing.TB, dir, name string) {
	t.Helper()
	out, err := exec.Command("mkfifo", filepath.Join(dir, name)).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) && runtime.GOOS == "linux" {
		t.Fatal("mkfifo is missing: it is in coreutils")
	}
	if err != nil {
		t.Skipf("mkfifo: %v: %s", err, out)
	}
}

// snapshot describes everything in fsys, including reserved names. It follows no links.
func snapshot(t testing.TB, fsys storage.FS) layout {
	t.Helper()
	l := layout{}
	snapshotBelow(t, fsys, "/", l)
	return l
}

func snapshotBelow(t testing.TB, fsys storage.FS, name string, l layout) {
	t.Helper()
	for info, err := range storage.ReadDir(context.Background(), fsys, name) {
		if err != nil {
			t.Fatal(err)
		}
		member := path.Join(name, info.Name())
		switch {
		case info.IsDir():
			l[member] = collection
			snapshotBelow(t, fsys, member, l)
		case info.Mode().IsRegular():
			l[member] = read(t, fsys, member)
		case info.Mode()&fs.ModeSymlink != 0:
			l[member] = link
		default:
			l[member] = special
		}
	}
}

func read(t testing.TB, fsys storage.FS, name string) string {
	t.Helper()
	f, err := fsys.OpenFile(context.Background(), name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// full returns l with the collections that its names imply.
func (l layout) full() layout {
	full := maps.Clone(l)
	for name := range l {
		for i := 1; i < len(name); i++ {
			if name[i] == '/' {
				full[name[:i]] = collection
			}
		}
	}
	return full
}

// below returns everything at and below root, under names relative to it: "" is root
// itself.
func (l layout) below(root string) layout {
	sub := layout{}
	for name, what := range l {
		if name == root || strings.HasPrefix(name, root+"/") {
			sub[strings.TrimPrefix(name, root)] = what
		}
	}
	return sub
}

// without returns l without everything at and below root.
func (l layout) without(root string) layout {
	rest := maps.Clone(l)
	maps.DeleteFunc(rest, func(name, _ string) bool { return storage.Overlap(name, root) && len(name) >= len(root) })
	return rest
}

// with returns l with sub at root.
func (l layout) with(root string, sub layout) layout {
	sum := maps.Clone(l)
	for name, what := range sub {
		sum[root+name] = what
	}
	return sum
}

// replaced returns l with a copy of src, and nothing else, at dst.
func (l layout) replaced(src, dst string) layout {
	return l.without(dst).with(dst, l.below(src))
}

// reserved returns the reserved names in l.
func (l layout) reserved() (names []string) {
	for name := range l {
		if storage.Reserved(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// seen returns l as a client sees it.
func (l layout) seen() layout {
	seen := maps.Clone(l)
	maps.DeleteFunc(seen, func(name, _ string) bool { return storage.Reserved(name) })
	return seen
}

// diff says how got differs from want; "" if it does not.
func diff(got, want layout) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if what, ok := got[name]; !ok {
			fmt.Fprintf(&b, "\n  %s is missing", name)
		} else if what != want[name] {
			fmt.Fprintf(&b, "\n  %s is %.40q, want %.40q", name, what, want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			fmt.Fprintf(&b, "\n  %s is there", name)
		}
	}
	return b.String()
}

// check compares everything in fsys with want.
func check(t testing.TB, fsys storage.FS, want layout) {
	t.Helper()
	if d := diff(snapshot(t, fsys), want); d != "" {
		t.Errorf("wrong tree:%s", d)
	}
}

// noError ends the test if err is not nil.
func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("error %v", err)
	}
}

// errorIs checks that err matches want and is not a PartialError, which would say that
// the rest is done.
func errorIs(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
	if partial := (*tree.PartialError)(nil); errors.As(err, &partial) {
		t.Errorf("error %v is a PartialError", err)
	}
}

// failed checks that err is a PartialError that names exactly the members
// names, each with an error that matches want.
func failed(t testing.TB, err, want error, names ...string) {
	t.Helper()
	partial := (*tree.PartialError)(nil)
	if !errors.As(err, &partial) {
		t.Fatalf("error %v, want a PartialError", err)
	}
	var got []string
	for _, f := range partial.Failures {
		got = append(got, f.Name)
		if !errors.Is(f.Err, want) {
			t.Errorf("%s failed with %v, want %v", f.Name, f.Err, want)
		}
	}
	slices.Sort(got)
	slices.Sort(names)
	if !slices.Equal(got, names) || partial.Unnamed != 0 {
		t.Errorf("failures %q and %d more, want %q", got, partial.Unnamed, names)
	}
}

func copyTree(ctx context.Context, fsys storage.FS, src, dst string, depth int, mon *tree.Monitor) error {
	return tree.Engine{FS: fsys}.Copy(ctx, src, dst, depth, mon)
}

func moveTree(ctx context.Context, fsys storage.FS, src, dst string, mon *tree.Monitor) error {
	return tree.Engine{FS: fsys}.Move(ctx, src, dst, mon)
}

func removeTree(ctx context.Context, fsys storage.FS, name string, mon *tree.Monitor) error {
	return tree.Engine{FS: fsys}.Remove(ctx, name, mon)
}

// visit walks through the tree at root, as a tree.Walk does, and calls deliver for one
// member after the other.
func visit(ctx context.Context, fsys storage.FS, root string, depth int, mon *tree.Monitor, deliver func(tree.Member) error) error {
	info, err := fsys.Stat(ctx, root)
	if err != nil {
		return err
	}
	w := &tree.Walk{FS: fsys, Root: root, Info: info, Depth: depth, Monitor: mon}
	w.Prepare = func(_ context.Context, members []tree.Member) func() error {
		return func() error {
			for _, member := range members {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := deliver(member); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return w.Run(ctx)
}

// recorded returns a Monitor and the outcomes that it will have.
func recorded() (*tree.Monitor, *tree.Outcomes) {
	mon := new(tree.Monitor)
	return mon, mon.Subscribe()
}

// watchedMonitor returns a Monitor with a reader.
func watchedMonitor() *tree.Monitor {
	mon, _ := recorded()
	return mon
}

// exact checks a Monitor at the end of an operation on that many members and bytes of
// content.
func exact(t testing.TB, mon *tree.Monitor, members, bytes int64) {
	t.Helper()
	p := mon.Snapshot()
	if p.Done != members || p.Known != members {
		t.Errorf("%d of %d members done, want %d of %d", p.Done, p.Known, members, members)
	}
	if p.Bytes != bytes || p.KnownBytes != bytes {
		t.Errorf("%d of %d bytes done, want %d of %d", p.Bytes, p.KnownBytes, bytes, bytes)
	}
}

// many is a layout of n files in the collection root.
func many(root string, n int) layout {
	l := make(layout, n)
	for i := range n {
		l[fmt.Sprintf("%s/%05d", root, i)] = strconv.Itoa(i)
	}
	return l
}

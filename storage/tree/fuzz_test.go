package tree_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/tree"
)

// modelNames are the names that FuzzOperations uses.
var modelNames = []string{
	"/", "/a", "/b", "/ab", "/a/a", "/a/b", "/b/a", "/b/ab", "/a/a/a", "/a/b/c", "/b/a/b", "/b/a/b/c",
}

// A model is the map that FuzzOperations compares a backend with.
type model struct{ l layout }

func (m *model) has(name string) bool { return name == "/" || m.l[name] != "" }

func (m *model) isCollection(name string) bool { return name == "/" || m.l[name] == collection }

// copy reports whether a copy is possible, and then does it.
func (m *model) copy(src, dst string, depth int) error {
	switch {
	case reference(src, dst):
		return storage.ErrOverlap
	case !m.has(src), !m.isCollection(path.Dir(dst)):
		return fs.ErrNotExist
	}
	copied := m.l.below(src)
	if depth == 0 {
		copied = layout{"": m.l[src]}
	}
	m.l = m.l.without(dst).with(dst, copied)
	return nil
}

func (m *model) move(src, dst string) error {
	if err := m.copy(src, dst, tree.Infinite); err != nil {
		return err
	}
	m.l = m.l.without(src)
	return nil
}

func (m *model) remove(name string) error {
	if !m.has(name) {
		return fs.ErrNotExist
	}
	m.l = m.l.without(name)
	return nil
}

func (m *model) put(name, content string) bool {
	if name == "/" || m.isCollection(name) || !m.isCollection(path.Dir(name)) {
		return false
	}
	m.l[name] = content
	return true
}

func (m *model) mkdir(name string) bool {
	if m.has(name) || !m.isCollection(path.Dir(name)) {
		return false
	}
	m.l[name] = collection
	return true
}

// FuzzOperations: any sequence of operations does the same to a backend as to a map.
func FuzzOperations(f *testing.F) {
	f.Add([]byte("\x01\x01\x00\x02\x04\x00\x04\x01\x02\x06\x02\x03"))
	f.Add([]byte("\x01\x01\x00\x01\x02\x00\x02\x04\x00\x03\x01\x06\x04\x02\x01\x06\x01\x00"))
	f.Add([]byte("\x02\x01\x00\x01\x02\x00\x04\x01\x02\x05\x02\x03\x06\x03\x00"))
	f.Fuzz(func(t *testing.T, program []byte) {
		runAll(t, aferofs.New(afero.NewMemMapFs()), program)
	})
}

// FuzzOperationsLocal is FuzzOperations on a directory, which can exchange names and
// copies in batches.
func FuzzOperationsLocal(f *testing.F) {
	f.Add([]byte("\x01\x01\x00\x02\x04\x00\x04\x01\x02\x06\x02\x03"))
	f.Add([]byte("\x01\x01\x00\x01\x02\x00\x02\x04\x00\x03\x01\x06\x04\x02\x01\x06\x01\x00"))
	f.Add([]byte("\x01\x01\x00\x02\x04\x00\x01\x02\x00\x03\x01\x02\x05\x02\x01\x03\x01\x02"))
	f.Fuzz(func(t *testing.T, program []byte) {
		fsys, _ := newLocal(t)
		runAll(t, fsys, program)
	})
}

// runAll runs program on fsys and a model. Each step takes three bytes of it.
func runAll(t *testing.T, fsys storage.FS, program []byte) {
	t.Helper()
	if len(program) > 120 {
		t.Skip()
	}
	m := &model{l: layout{}}
	for step := range slices.Chunk(program, 3) {
		if len(step) == 3 {
			run(t, fsys, m, step)
		}
	}
}

// run does one step on both and compares them.
func run(t *testing.T, fsys storage.FS, m *model, step []byte) {
	t.Helper()
	name := modelNames[int(step[1])%len(modelNames)]
	other := modelNames[int(step[2])%len(modelNames)]
	var got, want error
	mon, exactly := watchedMonitor(), true
	op := []string{"remove", "mkdir", "put", "copy", "copy alone", "move", "move by copying"}[int(step[0])%7]
	switch op {
	case "mkdir":
		if m.mkdir(name) {
			mkdir(t, fsys, name)
		}
		exactly = false
	case "put":
		if m.put(name, string(step)) {
			file, err := fsys.OpenFile(t.Context(), name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
			noError(t, err)
			_, err = file.Write(step)
			noError(t, errors.Join(err, file.Close()))
		}
		exactly = false
	case "remove":
		if name != "/" {
			got, want = removeTree(t.Context(), fsys, name, mon), m.remove(name)
		}
		other = ""
	case "copy":
		got, want = copyTree(t.Context(), fsys, name, other, tree.Infinite, mon), m.copy(name, other, tree.Infinite)
	case "copy alone":
		got, want = copyTree(t.Context(), fsys, name, other, 0, mon), m.copy(name, other, 0)
	case "move":
		got, want = moveTree(t.Context(), fsys, name, other, mon), m.move(name, other)
	case "move by copying":
		cross := failing(fsys, errors.ErrUnsupported, "rename", name)
		got, want = moveTree(t.Context(), cross, name, other, mon), m.move(name, other)
	}
	if !errors.Is(got, want) {
		t.Fatalf("%s %s %s: error %v, want %v", op, name, other, got, want)
	}
	if p := mon.Snapshot(); exactly && want == nil && p.Known > 0 && (p.Done != p.Known || p.Bytes != p.KnownBytes) {
		t.Fatalf("%s %s %s: progress %+v at the end", op, name, other, p)
	}
	if d := diff(snapshot(t, fsys), m.l); d != "" {
		t.Fatalf("%s %s %s: wrong tree:%s", op, name, other, d)
	}
}

// reference returns what Overlap must return. It compares segment by segment.
func reference(a, b string) bool {
	segments := func(name string) []string {
		return slices.DeleteFunc(strings.Split(name, "/"), func(s string) bool { return s == "" })
	}
	x, y := segments(a), segments(b)
	n := min(len(x), len(y))
	return slices.Equal(x[:n], y[:n])
}

func FuzzOverlap(f *testing.F) {
	for _, a := range modelNames {
		for _, b := range modelNames {
			f.Add(a, b)
		}
	}
	f.Add("/a", "/a b")
	f.Add("/a%2fb", "/a")
	f.Add("/\xff", "/\xff/\xfe")
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = storage.Clean(a), storage.Clean(b)
		got := storage.Overlap(a, b)
		if got != storage.Overlap(b, a) {
			t.Errorf("Overlap(%q, %q) is not symmetric", a, b)
		}
		if want := reference(a, b); got != want {
			t.Errorf("Overlap(%q, %q) = %t, want %t", a, b, got, want)
		}
		if !storage.Overlap(a, path.Join(a, "x")) || !storage.Overlap(a, a) {
			t.Errorf("%q does not overlap with itself or its member", a)
		}
	})
}

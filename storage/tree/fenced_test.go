package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/intercept"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// errDead says that a node was declared dead.
var errDead = errors.New("this node was declared dead")

// works is a Journal for several nodes. As a database does, it decides which node has the work,
// of which there is one.
type works struct {
	mu     sync.Mutex
	owner  string // "" after the work has ended
	record []byte
	// outcome is how another node has ended the work.
	outcome tree.Result
}

const workID = "work"

// of returns the Journal of a node.
func (w *works) of(node string) *nodeJournal { return &nodeJournal{works: w, node: node} }

// takeOver declares the owner dead.
func (w *works) takeOver(by string) (record []byte, open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.owner == "" {
		return nil, false
	}
	w.owner = by
	return w.record, true
}

// nodeJournal is the Journal as one node sees it.
type nodeJournal struct {
	*works
	node string
	// step, if not nil, is called before each change.
	step func(call string) error
}

func (j *nodeJournal) change(call string, do func()) error {
	if j.step != nil {
		if err := j.step(call); err != nil {
			return err
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.owner != j.node {
		return errDead
	}
	do()
	return nil
}

func (j *nodeJournal) SaveRecord(_ context.Context, id string, record []byte) error {
	if id != workID {
		return fmt.Errorf("a record %q", id)
	}
	return j.change("save", func() { j.record = record })
}

func (j *nodeJournal) DeleteRecord(context.Context, string) error {
	return errors.New("the claim has to end instead")
}

func (j *nodeJournal) LoadRecords(context.Context) ([][]byte, error) { return nil, nil }

// end ends the claim.
func (j *nodeJournal) end(outcome tree.Result) error {
	return j.change("end", func() { j.owner, j.outcome = "", outcome })
}

// node is a process that shares a directory with others.
type node struct {
	fsys    storage.FS
	journal *nodeJournal
	engine  tree.Engine
	close   func()
}

// newNode returns a node that calls step before each call of the directory and the Journal. The
// caller must call its close.
func newNode(t *testing.T, dir, name string, w *works, of func(storage.FS) storage.FS, step func(call string) error) *node {
	t.Helper()
	n := &node{journal: w.of(name)}
	n.journal.step = step
	var made atomic.Int64
	reserved := func() string { return storage.ReservedPrefix + name + "-" + strconv.FormatInt(made.Add(1), 10) }
	fsys, err := local.OpenWith(dir, local.Options{Stage: reserved})
	noError(t, err)
	n.close = func() { noError(t, fsys.Close()) }
	n.fsys = intercept.New(of(fsys), func(_ context.Context, op, name string) error {
		if op == "close" {
			return nil
		}
		return step(op + " " + name)
	})
	n.engine = tree.Engine{FS: n.fsys, Journal: n.journal, Fence: &tree.Fence{ID: workID, Beside: func(at string) string {
		return path.Join(path.Dir(at), reserved())
	}}}
	return n
}

// recover takes over from the owner of the work and ends it.
func (n *node) recover(ctx context.Context) (tree.Result, error) {
	record, open := n.journal.takeOver(n.journal.node)
	if !open {
		return "", nil
	}
	result := tree.Undone
	if record != nil {
		r, err := n.engine.RecoverAdopted(ctx, record)
		for r.Result == "" && errors.Is(err, fs.ErrExist) {
			// The other node is inside a call.
			n.journal.mu.Lock()
			record = n.journal.record
			n.journal.mu.Unlock()
			r, err = n.engine.RecoverAdopted(ctx, record)
		}
		if result = r.Result; result == "" {
			return "", err
		}
	}
	return result, n.journal.end(result)
}

// change is an operation that a node makes.
type change struct {
	name string
	run  func(ctx context.Context, n *node) (tree.Result, error)
	// want is the tree after it was made.
	want func(was layout) layout
	// sources and destinations are the kinds of tree that it works on.
	sources, destinations []string
}

// The kinds of tree, which are also the names of sources and destinations.
var kinds = map[string]layout{
	"nothing":    {},
	"file":       {"": "content"},
	"empty":      {"": collection},
	"collection": {"/f": "one", "/d/g": "three"},
}

func (k change) cases() (all []layout, names []string) {
	for _, src := range k.sources {
		for _, dst := range k.destinations {
			l := layout{"/a": collection, "/b": collection}
			for name, content := range kinds[src] {
				l["/a/src"+name] = content
			}
			for name, content := range kinds[dst] {
				if content != collection {
					content = "old " + content
				}
				l["/b/dst"+name] = content
			}
			all = append(all, l.full())
			names = append(names, k.name+", "+src+" onto "+dst)
		}
	}
	return all, names
}

func result(err error) (tree.Result, error) {
	_, leftover := errors.AsType[*tree.LeftoverError](err)
	_, unsettled := errors.AsType[*tree.UnsettledError](err)
	switch {
	case err == nil || leftover:
		return tree.Finished, err
	case unsettled:
		return "", err
	}
	return tree.Undone, err
}

var (
	anyTree  = []string{"file", "collection"}
	anything = []string{"nothing", "file", "empty", "collection"}
	no       = []string{"nothing"}
)

func changes() []change {
	return []change{{
		name: "COPY", sources: anyTree, destinations: anything,
		run: func(ctx context.Context, n *node) (tree.Result, error) {
			return result(n.engine.Copy(ctx, "/a/src", "/b/dst", tree.Infinite, nil))
		},
		want: func(was layout) layout { return was.replaced("/a/src", "/b/dst") },
	}, {
		name: "MOVE", sources: anyTree, destinations: anything,
		run: func(ctx context.Context, n *node) (tree.Result, error) {
			return result(n.engine.Move(ctx, "/a/src", "/b/dst", nil))
		},
		want: func(was layout) layout { return was.replaced("/a/src", "/b/dst").without("/a/src") },
	}, {
		name: "DELETE", sources: []string{"file", "empty", "collection"}, destinations: no,
		run: func(ctx context.Context, n *node) (tree.Result, error) {
			return result(n.engine.Remove(ctx, "/a/src", nil))
		},
		want: func(was layout) layout { return was.without("/a/src") },
	}, {
		name: "MKCOL", sources: no, destinations: no,
		run: func(ctx context.Context, n *node) (tree.Result, error) {
			return n.engine.MakeCollection(ctx, "/b/dst", 0o777)
		},
		want: func(was layout) layout { return was.with("/b/dst", layout{"": collection}) },
	}, {
		name: "LOCK", sources: no, destinations: no,
		run: func(ctx context.Context, n *node) (tree.Result, error) {
			return n.engine.MakeFile(ctx, "/b/dst", 0o666)
		},
		want: func(was layout) layout { return was.with("/b/dst", layout{"": ""}) },
	}, {
		name: "PUT", sources: no, destinations: []string{"nothing", "file"},
		run:  put,
		want: func(was layout) layout { return was.with("/b/dst", layout{"": "put"}) },
	}}
}

// put stages content as a PUT does, and places it.
func put(ctx context.Context, n *node) (tree.Result, error) {
	content, err := storage.ReplaceFile(ctx, n.fsys, "/b/dst", storage.Replacing{Perm: 0o666, Canonical: true})
	if err != nil {
		return tree.Undone, err
	}
	defer func() { _ = content.Discard() }()
	if _, err := io.WriteString(content, "put"); err != nil {
		return tree.Undone, err
	}
	stage := tree.Stage{Method: "PUT", Name: storage.StageName(content), Destination: "/b/dst"}
	return n.engine.PlaceStage(ctx, stage, func(ctx context.Context) error {
		_, err := content.Commit(ctx, storage.Placing{})
		return err
	})
}

// pause stops a node before one of its steps.
type pause struct {
	mu      sync.Mutex
	at, now int
	reached chan struct{} // closed at the step
	resume  chan struct{} // closed to go on
	// dies says that the process is killed there.
	dies bool
	log  []string
}

func newPause(at int, dies bool) *pause {
	return &pause{at: at, reached: make(chan struct{}), resume: make(chan struct{}), dies: dies}
}

var errKilled = errors.New("killed")

func (p *pause) step(call string) error {
	p.mu.Lock()
	p.now++
	now := p.now
	p.log = append(p.log, call)
	if now == p.at {
		close(p.reached)
	}
	p.mu.Unlock()
	if p.at == 0 || now < p.at {
		return nil
	}
	if p.dies {
		return errKilled
	}
	<-p.resume
	return nil
}

// share is a directory with its content at the beginning.
func newShare(t *testing.T, was layout) string {
	t.Helper()
	dir := t.TempDir()
	fsys, err := local.Open(dir)
	noError(t, err)
	defer fsys.Close()
	build(t, fsys, was)
	return dir
}

func plain(fsys storage.FS) storage.FS { return fsys }

func look(t *testing.T, dir string) layout {
	t.Helper()
	fsys, err := local.Open(dir)
	noError(t, err)
	defer fsys.Close()
	return snapshot(t, fsys)
}

// storages are those of the nodes.
var storages = []struct {
	name string
	of   func(storage.FS) storage.FS
}{
	{"exchange", plain},
	{"no exchange", renamings[4].of},
	{"EXDEV", func(fsys storage.FS) storage.FS { return exdev{&storagetest.Fault{FS: fsys}} }},
	{"whole trees", storagetest.WholeTrees},
}

// exdev can't rename between /a and /b.
type exdev struct{ *storagetest.Fault }

func (x exdev) Rename(ctx context.Context, oldName, newName string) error {
	return x.RenameWith(ctx, storage.Renaming{Old: oldName, New: newName})
}

func (x exdev) RenameWith(ctx context.Context, r storage.Renaming) error {
	if r.Old[:2] != r.New[:2] {
		return r.Failed(syscall.EXDEV)
	}
	return x.Fault.RenameWith(ctx, r)
}

// later are the changes that another node acknowledges after it has taken over.
var later = []struct {
	name string
	do   func(t *testing.T, dir string)
}{
	{"nothing", func(*testing.T, string) {}},
	{"new content", func(t *testing.T, dir string) {
		t.Helper()
		for _, name := range []string{"a/src", "b/dst"} {
			noError(t, os.RemoveAll(filepath.Join(dir, name)))
			noError(t, os.MkdirAll(filepath.Join(dir, name, "later"), 0o755))
			noError(t, os.WriteFile(filepath.Join(dir, name, "later/f"), []byte("later"), 0o644))
		}
	}},
	{"new files", func(t *testing.T, dir string) {
		t.Helper()
		for _, name := range []string{"a/src", "b/dst"} {
			noError(t, os.RemoveAll(filepath.Join(dir, name)))
			noError(t, os.WriteFile(filepath.Join(dir, name), []byte("later"), 0o644))
		}
	}},
	{"removed", func(t *testing.T, dir string) {
		t.Helper()
		for _, name := range []string{"a/src", "b/dst"} {
			noError(t, os.RemoveAll(filepath.Join(dir, name)))
		}
	}},
	{"new parents", func(t *testing.T, dir string) {
		t.Helper()
		for _, name := range []string{"a", "b"} {
			noError(t, os.Rename(filepath.Join(dir, name), filepath.Join(dir, name+"2")))
			noError(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
		}
	}},
}

// TestFencedChanges checks what each change does, and that nothing reserved remains.
func TestFencedChanges(t *testing.T) {
	for _, s := range storages {
		for _, k := range changes() {
			layouts, names := k.cases()
			for i, was := range layouts {
				t.Run(s.name+"/"+names[i], func(t *testing.T) {
					dir := newShare(t, was)
					w := &works{owner: "A"}
					p := newPause(0, false)
					n := newNode(t, dir, "A", w, s.of, p.step)
					defer n.close()
					got, err := k.run(t.Context(), n)
					if got != tree.Finished || err != nil {
						t.Errorf("%s, error %v", got, err)
					}
					if d := diff(look(t, dir), k.want(was)); d != "" {
						t.Errorf("wrong tree:%s\n%s", d, strings.Join(p.log, "\n"))
					}
				})
			}
		}
	}
}

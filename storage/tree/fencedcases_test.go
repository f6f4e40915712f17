package tree_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// fenced returns a node that is not disturbed, on a share with that content.
func fenced(t *testing.T, was layout, of func(storage.FS) storage.FS) (n *node, dir string) {
	t.Helper()
	dir = newShare(t, was.full())
	n = newNode(t, dir, "A", &works{owner: "A"}, of, free)
	t.Cleanup(n.close)
	return n, dir
}

// TestFencedStageMoved checks that a stage is only placed if it is found under the claim. If its
// collection was renamed before, the server that takes over would not find it there.
func TestFencedStageMoved(t *testing.T) {
	t.Parallel()
	n, dir := fenced(t, layout{"/b": collection}, plain)
	content, err := storage.ReplaceFile(t.Context(), n.fsys, "/b/dst", storage.Replacing{Perm: 0o666, Canonical: true})
	noError(t, err)
	noError(t, os.Rename(filepath.Join(dir, "b"), filepath.Join(dir, "c")))
	noError(t, os.Mkdir(filepath.Join(dir, "b"), 0o755))
	stage := tree.Stage{Method: "PUT", Name: storage.StageName(content), Destination: "/b/dst"}
	result, err := n.engine.PlaceStage(t.Context(), stage, func(context.Context) error {
		t.Error("it was committed")
		return nil
	})
	if result != tree.Undone || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q, error %v", result, err)
	}
	noError(t, content.Discard())
	check(t, n.fsys, layout{"/b": collection, "/c": collection})
}

// TestFencedNewExists checks that a new collection or file replaces nothing.
func TestFencedNewExists(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"file", "empty", "collection"} {
		was := layout{"/b": collection}.with("/b/dst", kinds[kind]).full()
		for name, create := range map[string]func(*node) (tree.Result, error){
			"MKCOL": func(n *node) (tree.Result, error) { return n.engine.MakeCollection(t.Context(), "/b/dst", 0o777) },
			"LOCK":  func(n *node) (tree.Result, error) { return n.engine.MakeFile(t.Context(), "/b/dst", 0o666) },
		} {
			n, _ := fenced(t, was, plain)
			if result, err := create(n); result != tree.Undone || !errors.Is(err, fs.ErrExist) {
				t.Errorf("%s onto %s: %q, error %v", name, kind, result, err)
			}
			check(t, n.fsys, was)
		}
	}
}

// TestFencedRefused checks that nothing changes if the source or the parent is missing, or the
// context has ended.
func TestFencedRefused(t *testing.T) {
	t.Parallel()
	was := layout{"/a/src/f": "one", "/b": collection}.full()
	n, _ := fenced(t, was, plain)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, change := range map[string]struct {
		want error
		run  func() error
	}{
		"no source":    {fs.ErrNotExist, func() error { return n.engine.Move(t.Context(), "/a/none", "/b/dst", nil) }},
		"no parent":    {fs.ErrNotExist, func() error { return n.engine.Move(t.Context(), "/a/src", "/c/dst", nil) }},
		"no such name": {fs.ErrNotExist, func() error { return n.engine.Remove(t.Context(), "/a/none", nil) }},
		"no parent of a copy": {fs.ErrNotExist, func() error {
			return n.engine.Copy(t.Context(), "/a/src", "/c/dst", tree.Infinite, nil)
		}},
		"ended copy": {context.Canceled, func() error { return n.engine.Copy(ended, "/a/src", "/b/dst", tree.Infinite, nil) }},
		"ended move": {context.Canceled, func() error { return n.engine.Move(ended, "/a/src", "/b/dst", nil) }},
		"root":       {fs.ErrInvalid, func() error { return n.engine.Remove(t.Context(), "/", nil) }},
	} {
		if err := change.run(); !errors.Is(err, change.want) {
			t.Errorf("%s: error %v, want %v", name, err, change.want)
		}
		check(t, n.fsys, was)
	}
}

// TestFencedHardLink moves a file onto another name of the same file. A rename would do nothing.
func TestFencedHardLink(t *testing.T) {
	t.Parallel()
	n, dir := fenced(t, layout{"/a/src": "content", "/b": collection}, plain)
	noError(t, os.Link(filepath.Join(dir, "a/src"), filepath.Join(dir, "b/dst")))
	noError(t, n.engine.Move(t.Context(), "/a/src", "/b/dst", nil))
	check(t, n.fsys, layout{"/a": collection, "/b/dst": "content"}.full())
}

// TestFencedLateMembers checks that a member that appears in the source of a MOVE after it was
// listed goes back to its name.
func TestFencedLateMembers(t *testing.T) {
	t.Parallel()
	dir := newShare(t, layout{"/a/src/f": "one", "/a/src/d/g": "two", "/b": collection}.full())
	n := newNode(t, dir, "A", &works{owner: "A"}, storages[2].of, func(call string) error {
		if strings.HasPrefix(call, "rename /b/.davd-A") {
			return os.WriteFile(filepath.Join(dir, "a/src/d/late"), []byte("late"), 0o644)
		}
		return nil
	})
	defer n.close()
	err := n.engine.Move(t.Context(), "/a/src", "/b/dst", nil)
	partial, ok := errors.AsType[*tree.PartialError](err)
	if !ok || !partial.Placed || len(partial.Failures) != 1 || partial.Failures[0].Name != "/a/src/d/late" || strings.Contains(err.Error(), storage.ReservedPrefix) {
		t.Errorf("error %v", err)
	}
	check(t, n.fsys, layout{"/a/src/d/late": "late", "/b/dst/f": "one", "/b/dst/d/g": "two"}.full())
}

// TestFencedNames checks that all names in a record are translated.
func TestFencedNames(t *testing.T) {
	t.Parallel()
	was := layout{"/a/src/f": "one", "/b/dst/old": "old"}.full()
	w := &works{owner: "A"}
	dir := newShare(t, was)
	p := newPause(0, true)
	n := newNode(t, dir, "A", w, renamings[4].of, func(call string) error {
		if strings.HasPrefix(call, "rename /b/.davd-A") {
			p.at = p.now + 1 // between the two renames, when neither name exists
		}
		return p.step(call)
	})
	defer n.close()
	n.engine.Names = prefixed{}
	if err := n.engine.Move(t.Context(), "/a/src", "/b/dst", nil); err == nil {
		t.Fatal("it was not killed")
	}
	if record := string(w.record); !strings.Contains(record, `"gate":"%2F.davd-share-1%2Fb%2F.davd-A`) || !strings.Contains(record, `"aside":["%2F.davd-share-1%2Fb`) {
		t.Errorf("record %s", record)
	}
	b := newNode(t, dir, "B", w, plain, free)
	defer b.close()
	b.engine.Names = prefixed{}
	if result, err := b.recover(t.Context()); result != tree.Finished || err != nil {
		t.Errorf("%q, error %v", result, err)
	}
	check(t, b.fsys, layout{"/a": collection, "/b/dst/f": "one"}.full())
}

// prefixed are Names of one share.
type prefixed struct{}

const sharePrefix = "/" + storage.ReservedPrefix + "share-1"

func (prefixed) In(_ context.Context, name string) (string, bool) { return sharePrefix + name, true }

func (prefixed) Out(_ context.Context, inState string) (string, bool) {
	return strings.CutPrefix(inState, sharePrefix)
}

func (prefixed) Storage(context.Context, string) (root, identity string, err error) {
	return "/", "disk", nil
}

// TestFencedOtherShare checks that nothing is touched if the record is about another directory.
func TestFencedOtherShare(t *testing.T) {
	t.Parallel()
	was := layout{"/a/src/f": "one", "/b": collection}.full()
	w := &works{owner: "A"}
	p := newPause(8, true)
	n := newNode(t, newShare(t, was), "A", w, plain, p.step)
	defer n.close()
	if err := n.engine.Move(t.Context(), "/a/src", "/b/dst", nil); err == nil {
		t.Fatal("it was not killed")
	}
	dir := newShare(t, was)
	b := newNode(t, dir, "B", w, plain, free)
	defer b.close()
	record, _ := w.of("B").takeOver("B")
	if r, err := b.engine.RecoverAdopted(t.Context(), record); err != nil || r.Result != tree.Left || !errors.Is(r.Err, tree.ErrOtherShare) {
		t.Errorf("%q for %v, errors %v, %v", r.Result, r.Entry, r.Err, err)
	}
	check(t, b.fsys, was)
}

func exists(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}

// placed reports whether the destination is the new one.
func placed(dir string, want layout) bool {
	name := "/b/dst"
	if want[name] == collection {
		name += "/f"
	}
	content, err := os.ReadFile(filepath.Join(dir, name))
	return err == nil && string(content) == want[name]
}

// TestHides checks that wherever a name is missing in the middle of a change, the record says so.
func TestHides(t *testing.T) {
	t.Parallel()
	for _, s := range storages {
		for _, k := range changes() {
			layouts, names := k.cases()
			for i, was := range layouts {
				dir, w, hidden := newShare(t, was), &works{owner: "A"}, false
				n := newNode(t, dir, "A", w, s.of, func(call string) error {
					want := k.want(was)
					for _, name := range []string{"/a/src", "/b/dst"} {
						if was[name] == "" || k.name == "DELETE" || exists(dir, name) || want[name] == "" && placed(dir, want) {
							continue
						}
						hidden = true
						if !tree.Hides(w.record) {
							t.Errorf("%s, %s, before %s: %s is missing", s.name, names[i], call, name)
						}
					}
					if strings.HasPrefix(names[i], "PUT") && tree.Hides(w.record) {
						t.Errorf("%s hides something", names[i])
					}
					return nil
				})
				if _, err := k.run(t.Context(), n); err != nil {
					t.Error(err)
				}
				n.close()
				if s.name == "exchange" && k.name == "MOVE" && !hidden {
					t.Errorf("%s: the test saw no gap", names[i])
				}
			}
		}
	}
}

// repeating is a storage whose renames can be made again, as a network may deliver them twice.
type repeating struct {
	exdev

	between bool // it can rename between /a and /b
	again   *[]storage.Renaming
}

func (r repeating) Rename(ctx context.Context, oldName, newName string) error {
	return r.RenameWith(ctx, storage.Renaming{Old: oldName, New: newName})
}

func (r repeating) RenameWith(ctx context.Context, how storage.Renaming) error {
	if how.Swap {
		return how.Failed(errors.ErrUnsupported) // A network filesystem can't.
	}
	*r.again = append(*r.again, how)
	if r.between {
		return r.Fault.RenameWith(ctx, how)
	}
	return r.exdev.RenameWith(ctx, how)
}

// TestFencedRepeatedCalls makes all renames of a change again, after its claim has ended and the
// names were used for something else.
func TestFencedRepeatedCalls(t *testing.T) {
	t.Parallel()
	for _, between := range []bool{true, false} {
		for _, k := range changes() {
			layouts, names := k.cases()
			for i, was := range layouts {
				for _, then := range later {
					var calls []storage.Renaming
					of := func(fsys storage.FS) storage.FS {
						return repeating{exdev{&storagetest.Fault{FS: fsys}}, between, &calls}
					}
					dir := newShare(t, was)
					n := newNode(t, dir, "A", &works{owner: "A"}, of, free)
					if _, err := k.run(t.Context(), n); err != nil {
						t.Error(err)
					}
					then.do(t, dir)
					want := look(t, dir)
					for _, call := range calls {
						_ = storage.RenameWith(t.Context(), n.fsys, call)
					}
					if d := diff(look(t, dir), want); d != "" {
						t.Errorf("%s, then %s, and %v again:%s", names[i], then.name, calls, d)
					}
					n.close()
				}
			}
		}
	}
}

// TestFencedInterference checks that nothing is lost if a program that takes no part makes
// something in a place that is empty for a moment.
func TestFencedInterference(t *testing.T) {
	t.Parallel()
	was := layout{"/a/src/f": "one", "/b/dst/old": "old"}.full()
	for _, k := range changes()[:2] {
		dir, w := newShare(t, was), &works{owner: "A"}
		p := newPause(0, true)
		n := newNode(t, dir, "A", w, renamings[4].of, func(call string) error {
			if call == "rename /b/dst" {
				p.at = p.now + 2 // after the destination has gone into the gate
			}
			return p.step(call)
		})
		if result, err := k.run(t.Context(), n); err == nil {
			t.Fatalf("%q", result)
		}
		n.close()
		noError(t, os.WriteFile(filepath.Join(dir, "b/dst"), []byte("other"), 0o644))
		b := newNode(t, dir, "B", w, renamings[4].of, free)
		record, _ := b.journal.takeOver("B")
		r, err := b.engine.RecoverAdopted(t.Context(), record)
		is := look(t, dir)
		contents := map[string]bool{}
		for _, content := range is {
			contents[content] = true
		}
		if err != nil || !contents["one"] || !contents["old"] && r.Result != tree.Finished {
			t.Errorf("%s: %q, errors %v, %v: %v", k.name, r.Result, r.Err, err, is)
		}
		b.close()
	}
}

// opened is a storage where a file that is open can't be removed, as on NFS: it gets a name that
// begins with .nfs, and then another one.
type opened struct{ *storagetest.Fault }

func (o opened) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	stay := func(member string) bool { return strings.HasPrefix(member, ".nfs") }
	return func(yield func(string, error) bool) {
		for _, member := range members {
			if stay(member) && !yield(member, nil) {
				return
			}
		}
		members = slices.DeleteFunc(slices.Clone(members), stay)
		for member, err := range o.Fault.RemoveMembers(ctx, name, members) {
			if !yield(member, err) {
				return
			}
		}
	}
}

// TestFencedOpened checks that a recovery doesn't wait for a file that is open elsewhere. What
// contains the file is a leftover.
func TestFencedOpened(t *testing.T) {
	t.Parallel()
	dir := newShare(t, layout{"/a/src/d/.nfs00000000001a2b3c00000001": "open", "/a/src/f": "one"}.full())
	of := func(fsys storage.FS) storage.FS { return opened{&storagetest.Fault{FS: fsys}} }
	w, p := &works{owner: "A"}, newPause(8, true)
	a := newNode(t, dir, "A", w, of, p.step)
	defer a.close()
	if err := a.engine.Remove(t.Context(), "/a/src", nil); err == nil {
		t.Fatal("it was not killed")
	}
	b := newNode(t, dir, "B", w, of, free)
	defer b.close()
	record, _ := b.journal.takeOver("B")
	r, err := b.engine.RecoverAdopted(t.Context(), record)
	leftover, ok := errors.AsType[*tree.LeftoverError](r.Err)
	if err != nil || r.Result != tree.Finished || !ok || !storage.Reserved(leftover.Name) {
		t.Errorf("%q, errors %v, %v", r.Result, r.Err, err)
	}
	if d := diff(look(t, dir).seen(), layout{"/a": collection}); d != "" {
		t.Error(d)
	}
}

// spelt is a storage that takes /b/DST for /b/dst.
type spelt struct{ *storagetest.Fault }

func (s spelt) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return s.Fault.Lstat(ctx, strings.Replace(name, "DST", "dst", 1))
}

func (s spelt) Rename(ctx context.Context, oldName, newName string) error {
	return s.RenameWith(ctx, storage.Renaming{Old: oldName, New: newName})
}

func (s spelt) RenameWith(ctx context.Context, r storage.Renaming) error {
	r.Old, r.New = strings.Replace(r.Old, "DST", "dst", 1), strings.Replace(r.New, "DST", "dst", 1)
	return s.Fault.RenameWith(ctx, r)
}

// TestFencedSpelling checks that a MOVE to another spelling of a name loses nothing.
func TestFencedSpelling(t *testing.T) {
	t.Parallel()
	for _, kind := range anyTree {
		was := layout{"/b": collection}.with("/b/dst", kinds[kind]).full()
		n, _ := fenced(t, was, func(fsys storage.FS) storage.FS { return spelt{&storagetest.Fault{FS: fsys}} })
		noError(t, n.engine.Move(t.Context(), "/b/dst", "/b/DST", nil))
		check(t, n.fsys, was)
	}
}

package tree_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/intercept"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

type within struct{}

// transaction notes its calls. It can't undo anything.
type transaction struct{ calls []string }

func (c *transaction) of() *tree.Transaction {
	return &tree.Transaction{
		Begin: func(ctx context.Context) (context.Context, error) {
			c.calls = append(c.calls, "begin")
			return context.WithValue(ctx, within{}, true), nil
		},
		Undo: func(context.Context) { c.calls = append(c.calls, "undo") },
	}
}

// inTransaction is a Follower that must be called in the transaction.
type inTransaction struct {
	follows
	t *testing.T
}

func (f *inTransaction) Follow(ctx context.Context, e tree.Entry, whole bool) error {
	if ctx.Value(within{}) == nil {
		f.t.Error("Follow is called outside the transaction")
	}
	return f.follows.Follow(ctx, e, whole)
}

// TestTransacted: MOVE and DELETE, and the end of a COPY, are made in the transaction, with what
// follows. After an error it is undone, and the stage of a COPY is removed.
func TestTransacted(t *testing.T) {
	errFollow := errors.New("follow")
	for _, d := range destinations {
		for _, c := range []struct {
			name  string
			fails error
			want  []string
		}{
			{"succeeds", nil, []string{"begin"}},
			{"fails", errFollow, []string{"begin", "undo"}},
		} {
			for method, run := range map[string]func(e tree.Engine, mon *tree.Monitor) error{
				"COPY": func(e tree.Engine, mon *tree.Monitor) error {
					return e.Copy(t.Context(), "/src", "/dst", tree.Infinite, mon)
				},
				"MOVE":   func(e tree.Engine, mon *tree.Monitor) error { return e.Move(t.Context(), "/src", "/dst", mon) },
				"DELETE": func(e tree.Engine, mon *tree.Monitor) error { return e.Remove(t.Context(), "/src", mon) },
			} {
				t.Run(method+" "+c.name+" onto "+d.name, func(t *testing.T) {
					fsys := storagetest.WholeTrees(aferofs.New(afero.NewMemMapFs()))
					build(t, fsys, source)
					build(t, fsys, d.old)
					was := snapshot(t, fsys)
					tx, follower := &transaction{}, &inTransaction{t: t, follows: follows{err: c.fails}}
					e := tree.Engine{FS: fsys, Transaction: tx.of(), Follower: follower}
					if method == "COPY" {
						e.Journal = &memJournal{}
					}
					mon := new(tree.Monitor)
					if err := run(e, mon); !errors.Is(err, c.fails) {
						t.Fatalf("error %v, want %v", err, c.fails)
					}
					if !slices.Equal(tx.calls, c.want) || len(follower.done) != 1 {
						t.Errorf("the transaction was called %q, and the follower %q", tx.calls, follower.done)
					}
					want := map[string]layout{
						"COPY": was.replaced("/src", "/dst"), "MOVE": was.replaced("/src", "/dst").without("/src"), "DELETE": was.without("/src"),
					}[method]
					check(t, fsys, want) // The transaction can't undo it, but no stage may be left.
					if p := mon.Snapshot(); c.fails == nil && (p.Done == 0 || p.Done != p.Known) {
						t.Errorf("progress %+v", p)
					}
				})
			}
		}
	}
}

// unansweredCopy is an FS that never confirms the copy of a tree.
type unansweredCopy struct{ storage.FS }

// CopyTree implements storage.TreeCopier.
func (f unansweredCopy) CopyTree(ctx context.Context, c storage.TreeCopying) error {
	return errors.Join(storage.CopyTree(ctx, f.FS, c), storage.ErrUnavailable)
}

// RemoveTree implements storage.TreeRemover.
func (f unansweredCopy) RemoveTree(ctx context.Context, name string) error {
	return storage.RemoveTree(ctx, f.FS, name)
}

// TestStageThatStays: a COPY fails, and the storage is not available when the stage must be removed. Then
// the record stays until that has succeeded. Nothing has changed in the end.
func TestStageThatStays(t *testing.T) {
	errBegin := errors.New("begin")
	for _, c := range []struct {
		name      string
		copyFails bool
		want      error
	}{
		{"the copy fails", true, storage.ErrUnavailable},
		{"the transaction does not begin", false, errBegin},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := storagetest.WholeTrees(aferofs.New(afero.NewMemMapFs()))
			build(t, fsys, source)
			away := true
			bad := intercept.New(fsys, func(_ context.Context, op, name string) error {
				if away && op == "removetree" && storage.Reserved(name) {
					return storage.ErrUnavailable
				}
				return nil
			})
			work := &works{owner: "a"}
			if c.copyFails {
				bad = unansweredCopy{bad}
			}
			e := tree.Engine{
				FS: bad, Journal: work.of("a"),
				Transaction: &tree.Transaction{
					Begin: func(context.Context) (context.Context, error) { return nil, errBegin },
					Undo:  func(context.Context) { t.Error("what has not begun is undone") },
				},
				Fence: &tree.Fence{ID: workID, Beside: storage.Beside},
			}
			err := e.Copy(t.Context(), "/src", "/dst", tree.Infinite, nil)
			errorIs(t, err, c.want)
			if _, staged := errors.AsType[*tree.StagedError](err); !staged {
				t.Errorf("error %v, want a StagedError", err)
			}
			if r, err := e.RecoverAdopted(t.Context(), work.record); err == nil {
				t.Errorf("RecoverAdopted returned %v while the stage could not be removed", r)
			}
			away = false
			r, err := e.RecoverAdopted(t.Context(), work.record)
			if err != nil || r.Result != tree.Undone || r.Err != nil {
				t.Errorf("RecoverAdopted returned %v, %v", r, err)
			}
			check(t, fsys, source.full())
		})
	}
}

// TestTransactedRefused: nothing has changed, and the error tells why.
func TestTransactedRefused(t *testing.T) {
	inner := storagetest.WholeTrees(aferofs.New(afero.NewMemMapFs()))
	build(t, inner, source)
	policy, err := access.NewPolicy([]access.Share{{At: "/", Rules: []access.Rule{
		{Path: "/", Subject: access.Anyone(), Rights: storage.RightsWrite},
		{Path: "/src/d", Subject: access.Anyone(), Rights: storage.RightsRead},
	}}}, nil)
	noError(t, err)
	tx := &transaction{}
	e := tree.Engine{FS: access.New(inner, policy), Transaction: tx.of()}
	errorIs(t, e.Remove(t.Context(), "/src", nil), fs.ErrPermission)
	errorIs(t, e.Remove(t.Context(), "/none", nil), fs.ErrNotExist)
	errorIs(t, e.Remove(t.Context(), "/", nil), fs.ErrInvalid)
	errorIs(t, e.Move(t.Context(), "/none", "/dst", nil), fs.ErrNotExist)
	errorIs(t, e.Move(t.Context(), "/src/f", "/none/dst", nil), fs.ErrNotExist)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tx.calls = nil
	errorIs(t, e.Remove(ended, "/src", nil), context.Canceled)
	if len(tx.calls) > 0 {
		t.Errorf("the transaction was called %q", tx.calls)
	}
	check(t, inner, source.full())
}

package names_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/objectfs/names/namestest"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

// transaction returns a context with the transaction of a brief claim.
func transaction(t *testing.T, db state) (cluster.Claim, context.Context) {
	t.Helper()
	c, err := cluster.Of(db).Claim(t.Context(), cluster.Work{Brief: true, Scopes: []cluster.Scope{{Name: "/", Tree: true}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := c.Transaction(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c, ctx
}

// TestTransaction: everything with the context of a transaction belongs to it. The node has one
// connection, so a statement outside of it would wait forever.
func TestTransaction(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	db := openPostgreSQL(t, dsn+"&pool_max_conns=1")
	s, other := space(t, db), space(t, openPostgreSQL(t, dsn))
	if !s.In(db) || s.In(nil) || other.In(db) {
		t.Error("In is wrong")
	}
	mkdir(t, s, "/a")
	put(t, s, "/a/f", "old")
	for _, commit := range []bool{false, true} {
		c, ctx := transaction(t, db)
		if !s.InTransaction(ctx) || s.InTransaction(t.Context()) {
			t.Error("InTransaction is wrong")
		}
		n, err := s.Put(ctx, "/a/f", names.Content{Data: []byte("new"), Size: 3}, names.Placing{Check: func(ctx context.Context, _ *names.Node) error {
			_, err := s.Find(ctx, "/a")
			return err
		}})
		if err != nil {
			t.Fatal(err)
		}
		if found, content, err := s.Open(ctx, "/a/f"); err != nil || found.ID != n.ID || string(content) != "new" {
			t.Errorf("the transaction sees %+v with %q (%v)", found, content, err)
		}
		if _, err := s.Mkdir(ctx, "/b", 0); err != nil {
			t.Error(err)
		}
		_, err = s.Mkdir(ctx, "/b", 0)
		fails(t, err, fs.ErrExist)
		if _, err := s.CopyMembers(ctx, "/a", "/b", []string{"f"}, ""); err != nil {
			t.Error(err)
		}
		if err := s.Rename(ctx, "/b", "/a/b", false); err != nil {
			t.Error(err)
		}
		if err := s.Swap(ctx, "/a/f", "/a/b"); err != nil {
			t.Error(err)
		}
		if err := s.SetTimes(ctx, "/a/b", time.Unix(1, 0), time.Unix(2, 0)); err != nil {
			t.Error(err)
		}
		_, err = s.DetachMembers(ctx, "/a", []string{"b"})
		if err != nil {
			t.Error(err)
		}
		has(t, other, "/a", "/a/f=old")
		if !commit {
			c.Undo(ctx)
		}
		if err := c.End(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if !commit {
			has(t, other, "/a", "/a/f=old")
		}
	}
	has(t, other, "/a", "/a/f", "/a/f/f=new")
	namestest.Consistent(t, db)
}

// TestCollectorBesideTransaction: an object stays that a transaction has referred to before it ends.
func TestCollectorBesideTransaction(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	db, second := openPostgreSQL(t, dsn), openPostgreSQL(t, dsn)
	s, other := space(t, db), space(t, second)
	object(t, s, "/f", 1)
	c, ctx := transaction(t, db)
	if _, err := s.CopyMembers(ctx, "/", "/", []string{"f"}, "g"); err != nil {
		t.Fatal(err)
	}
	if err := other.Detach(t.Context(), "/f", false); err != nil {
		t.Fatal(err)
	}
	sweep(t, other)
	if got := loose(t, other); len(got) > 0 {
		t.Errorf("doomed %q", got)
	}
	if err := c.End(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if got := loose(t, other); len(got) > 0 {
		t.Errorf("doomed %q", got)
	}
	namestest.Consistent(t, db)
}

// TestCopyOfDoomedObject dooms an object while a statement copies the file that had it.
func TestCopyOfDoomedObject(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Database(t)
	db := openPostgreSQL(t, dsn)
	s := space(t, db)
	mkdir(t, s, "/a")
	first := object(t, s, "/a/1", 1)
	second := object(t, s, "/a/2", 1)
	locked, release := make(chan struct{}), make(chan struct{})
	held, copied := make(chan error, 1), make(chan error, 1)
	go func() {
		held <- db.Base().Change(t.Context(), false, func(tx tables.Tx) error {
			_, err := tx.Exec(t.Context(), "SELECT key FROM objects WHERE key = $1 FOR UPDATE", first)
			close(locked)
			<-release
			return err
		})
	}()
	<-locked
	go func() { copied <- s.Copy(t.Context(), "/a", "/b", false, nil) }()
	for waiting(t, db) == 0 { // The statement has read both files, and waits for the first object.
		continue
	}
	if err := s.Detach(t.Context(), "/a/2", false); err != nil {
		t.Fatal(err)
	}
	sweep(t, s)
	if got := loose(t, s); !slices.Equal(got, []string{second}) {
		t.Errorf("doomed %q", got)
	}
	close(release)
	if err := errors.Join(<-held, <-copied); err != nil {
		t.Fatal(err)
	}
	has(t, s, "/a", "/a/1=", "/b", "/b/1=")
	namestest.Consistent(t, db)
}

// TestLateNode: a node that was declared dead changes nothing any more, even for content that it has
// uploaded before, and after it has joined again.
func TestLateNode(t *testing.T) {
	t.Parallel()
	db := openPostgreSQL(t, pgtest.Database(t))
	s := space(t, db)
	mkdir(t, s, "/a")
	mkdir(t, s, "/a/b")
	epoch, err := s.Epoch()
	if err != nil {
		t.Fatal(err)
	}
	if leads, err := s.Lead(t.Context()); err != nil || !leads {
		t.Errorf("Lead: %v, %v", leads, err)
	}
	copied := func(int64, int64) error { // after the first batch
		err := db.Base().Provide(t.Context(), "DELETE FROM nodes WHERE epoch = $1", epoch)
		for err == nil { // until it has joined again
			if now, err := s.Epoch(); err == nil && now != epoch {
				break
			}
		}
		return err
	}
	fails(t, s.Copy(t.Context(), "/a", "/b", false, copied), cluster.ErrFenced)
	_, err = s.Put(t.Context(), "/f", names.Content{Blob: epoch + "-1", Size: 1}, names.Placing{})
	fails(t, err, cluster.ErrFenced)
	if got, err := s.Orphans(t.Context(), []string{epoch + "-1"}); err != nil || len(got) != 1 {
		t.Errorf("the orphans are %q (%v)", got, err)
	}
	if leads, err := s.Lead(t.Context()); err != nil || !leads {
		t.Errorf("Lead after joining again: %v, %v", leads, err)
	}
	namestest.Consistent(t, db)
}

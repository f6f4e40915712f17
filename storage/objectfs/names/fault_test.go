package names_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/objectfs/names"
	"github.com/davd/davd/storage/objectfs/names/namestest"
)

var errFault = errors.New("fault")

// faulty is a database that fails once, after a number of calls.
type faulty struct {
	tables.Base

	left   int // calls before the fault
	failed bool
}

// fault fails in its turn.
func (f *faulty) fault() error {
	if f.left--; f.left != -1 {
		return nil
	}
	f.failed = true
	return errFault
}

func (f *faulty) Reader() tables.Queryer { return faultyQueryer{f, f.Base.Reader()} }

// Change fails at its begin, in its statements, or instead of the COMMIT.
func (f *faulty) Change(ctx context.Context, urgent bool, change func(tx tables.Tx) error) error {
	if err := f.fault(); err != nil {
		return err
	}
	return f.Base.Change(ctx, urgent, func(tx tables.Tx) error {
		t := &faultyTx{faultyQueryer{f, tx}, tx}
		l := &laterTx{t, nil}
		var err error
		if f.PostgreSQL() {
			err = change(l)
		} else {
			err = change(t)
		}
		return errors.Join(err, l.later, f.fault())
	})
}

type faultyQueryer struct {
	f *faulty
	tables.Queryer
}

func (q faultyQueryer) Query(ctx context.Context, query string, args ...any) (tables.Rows, error) {
	if err := q.f.fault(); err != nil {
		return nil, err
	}
	return q.Queryer.Query(ctx, query, args...)
}

type faultyTx struct {
	faultyQueryer

	tx tables.Tx
}

func (t *faultyTx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := t.f.fault(); err != nil {
		return 0, err
	}
	return t.tx.Exec(ctx, query, args...)
}

// laterTx is a faultyTx of PostgreSQL.
type laterTx struct {
	*faultyTx

	later error // of a statement of Later
}

func (t *laterTx) Later(query string, args ...any) {
	err := t.f.fault()
	if err == nil {
		err = tables.Later(context.Background(), t.tx, query, args...)
	}
	t.later = errors.Join(t.later, err)
}

// through is a names.Database with faults.
type through struct{ *faulty }

// Base implements names.Database.
func (t through) Base() tables.Base { return t.faulty }

// changes are all changes of a tree, with what they make of it.
var changes = []struct {
	name   string
	change func(ctx context.Context, s *names.Space) error
	want   []string
}{
	{"Put", func(ctx context.Context, s *names.Space) error {
		_, err := s.Put(ctx, "/a/g", names.Content{Data: []byte("g"), Size: 1}, names.Placing{})
		return err
	}, []string{"/a", "/a/b", "/a/b/x=x", "/a/f=f", "/a/g=g", "/e"}},
	{"Put over a file", func(ctx context.Context, s *names.Space) error {
		_, err := s.Put(ctx, "/a/f", names.Content{Data: []byte("new"), Size: 3}, names.Placing{})
		return err
	}, []string{"/a", "/a/b", "/a/b/x=x", "/a/f=new", "/e"}},
	{"Mkdir", func(ctx context.Context, s *names.Space) error {
		_, err := s.Mkdir(ctx, "/a/g", 0)
		return err
	}, []string{"/a", "/a/b", "/a/b/x=x", "/a/f=f", "/a/g", "/e"}},
	{"Rename", func(ctx context.Context, s *names.Space) error {
		return s.Rename(ctx, "/a/b", "/e", true)
	}, []string{"/a", "/a/f=f", "/e", "/e/x=x"}},
	{"Swap", func(ctx context.Context, s *names.Space) error {
		return s.Swap(ctx, "/a/f", "/e")
	}, []string{"/a", "/a/b", "/a/b/x=x", "/a/f", "/e=f"}},
	{"Detach", func(ctx context.Context, s *names.Space) error {
		return s.Detach(ctx, "/a", false)
	}, []string{"/e"}},
	{"DetachMembers", func(ctx context.Context, s *names.Space) error {
		errs, err := s.DetachMembers(ctx, "/a", []string{"f"})
		return errors.Join(append(errs, err)...)
	}, []string{"/a", "/a/b", "/a/b/x=x", "/e"}},
	{"CopyMembers", func(ctx context.Context, s *names.Space) error {
		errs, err := s.CopyMembers(ctx, "/a", "/e", []string{"f"}, "g")
		return errors.Join(append(errs, err)...)
	}, []string{"/a", "/a/b", "/a/b/x=x", "/a/f=f", "/e", "/e/g=f"}},
	{"Copy", func(ctx context.Context, s *names.Space) error {
		err := s.Copy(ctx, "/a", "/.davd-copy", false, nil)
		if err == nil {
			err = s.Rename(ctx, "/.davd-copy", "/e/c", false)
		}
		if err != nil {
			err = errors.Join(err, ignore(s.Detach(ctx, "/.davd-copy", false), fs.ErrNotExist))
		}
		return err
	}, []string{"/a", "/a/b", "/a/b/x=x", "/a/f=f", "/e", "/e/c", "/e/c/b", "/e/c/b/x=x", "/e/c/f=f"}},
	{"Sweep", func(ctx context.Context, s *names.Space) error {
		for {
			if n, err := s.Sweep(ctx, 2); err != nil || n == 0 {
				return err
			}
		}
	}, []string{"/a", "/a/b", "/a/b/x=x", "/a/f=f", "/e"}},
	{"Loose", func(ctx context.Context, s *names.Space) error {
		keys, err := s.Loose(ctx, time.Now().Add(time.Minute), 10)
		if err == nil {
			err = s.Removed(ctx, keys)
		}
		return err
	}, []string{"/a", "/a/b", "/a/b/x=x", "/a/f=f", "/e"}},
}

// ignore returns err unless it is what.
func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// TestFaults makes each call of the database fail. The tree is the old one after an error, and the new
// one otherwise.
func TestFaults(t *testing.T) {
	t.Parallel()
	old := []string{"/a", "/a/b", "/a/b/x=x", "/a/f=f", "/e"}
	eachDatabase(t, func(t *testing.T, db state) {
		for _, c := range changes {
			f := &faulty{Base: db.Base(), left: -1}
			for after := 0; ; after++ {
				s, err := names.Open(t.Context(), names.Options{Database: through{f}, Identity: fmt.Sprintf("%s %d", c.name, after)})
				if err != nil {
					t.Fatal(err)
				}
				mkdir(t, s, "/a")
				mkdir(t, s, "/a/b")
				put(t, s, "/a/b/x", "x")
				put(t, s, "/a/f", "f")
				mkdir(t, s, "/e")
				mkdir(t, s, "/gone")
				object(t, s, "/gone/f", 1)
				object(t, s, "/f", 1)
				put(t, s, "/f", "")
				if err := errors.Join(s.Detach(t.Context(), "/gone", false), s.Detach(t.Context(), "/f", false)); err != nil {
					t.Fatal(err)
				}
				f.left, f.failed = after, false
				err = c.change(t.Context(), s)
				f.left = -1
				want := c.want
				if err != nil {
					want = old
				}
				if got := tree(t, s, "/")[1:]; !slices.Equal(got, want) || f.failed != (err != nil) || err != nil && !errors.Is(err, errFault) {
					t.Errorf("%s with a fault after %d calls: %v: the tree is %q, want %q", c.name, after, err, got, want)
				}
				if !f.failed {
					break
				}
			}
		}
		namestest.Consistent(t, db)
	})
}

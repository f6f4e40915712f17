package names

import (
	"context"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/internal/tables"
)

// Rename implements [Store].
func (s *Space) Rename(ctx context.Context, from, to string, replace bool) error {
	return s.relocate(ctx, "rename", from, to, func(ctx context.Context, tx tables.Tx, src, dst path) error {
		return s.rename(ctx, tx, src, dst, replace)
	})
}

// Swap implements [Store].
func (s *Space) Swap(ctx context.Context, a, b string) error {
	return s.relocate(ctx, "exchange", a, b, s.swap)
}

// relocate runs f with the paths of two names, in a transaction.
func (s *Space) relocate(ctx context.Context, op, from, to string, f func(ctx context.Context, tx tables.Tx, src, dst path) error) error {
	src, err := parse(from)
	var dst path
	if err == nil {
		dst, err = parse(to)
	}
	if err == nil && (src.isRoot() || dst.isRoot()) {
		err = refuse(fs.ErrInvalid)
	}
	if err == nil {
		err = s.change(ctx, true, func(ctx context.Context, tx tables.Tx) error { return f(ctx, tx, src, dst) })
	}
	if err != nil {
		return &os.LinkError{Op: op, Old: from, New: to, Err: storage.Cause(s.failed(op, from, err))}
	}
	return nil
}

// pair are two names. Its transaction holds them.
type pair struct {
	src, dst *node // nil if it doesn't exist
	parent   int64 // the collection of dst; 0 if it doesn't exist
	apart    bool  // their collections are different
}

// pair finds and locks two names. If one of them is a collection, and they have different parents,
// it waits for other transactions that move collections: otherwise two of them could each move
// into the other one. In the transaction of a claim, no other one can do that.
//
// It locks the names in their order, with the collection of each one first. So two transactions never
// wait for each other here.
func (s *Space) pair(ctx context.Context, tx tables.Tx, src, dst path) (found pair, err error) {
	found.apart = !slices.Equal(src.up().folds, dst.up().folds)
	backwards := slices.Compare(dst.folds, src.folds) < 0
	for _, p := range []*path{&src, &dst} {
		if err := s.begin(ctx, tx, p); err != nil {
			return found, err
		}
	}
	q, lock := &query{}, s.parentLock(ctx)
	with, turn := "WITH ", ""
	if found.apart && lock != "" {
		with += "turn AS (SELECT root AS id FROM volumes WHERE id = " + q.arg(s.id) +
			" AND EXISTS (SELECT 1 FROM entries WHERE dir AND (" + q.at(src) + " OR " + q.at(dst) + "))" + s.sql.noKeyUpdate + "), "
		turn = "SELECT 3, " + noColumns + " FROM turn UNION ALL "
	}
	statement := with + "a AS (SELECT id FROM entries WHERE " + q.at(src.up()) + lock + ")," +
		" b AS (SELECT id FROM entries WHERE " + q.at(dst.up()) + " AND dir" + lock + ") " + turn
	first := "SELECT 0, " + columns + " FROM (SELECT * FROM entries WHERE parent = (SELECT id FROM a) AND fold = " + q.arg(src.base()) + s.sql.forUpdate + ") s"
	second := "SELECT 1, " + columns + " FROM (SELECT * FROM entries WHERE parent = (SELECT id FROM b) AND fold = " + q.arg(dst.base()) + s.sql.forUpdate + ") d"
	if backwards {
		first, second = second, first
	}
	statement += first + " UNION ALL " + second + " UNION ALL SELECT 2, " + noColumns + " FROM b"
	hasTurn := turn == ""
	err = tables.Each(ctx, tx, func(rows tables.Rows) error {
		var (
			part int
			n    node
		)
		if err := rows.Scan(append([]any{&part}, n.columns()...)...); err != nil {
			return err
		}
		n.finish()
		switch part {
		case 0:
			found.src = &n
		case 1:
			found.dst = &n
		case 2:
			found.parent = n.ID
		default:
			hasTurn = true
		}
		return nil
	}, statement, q.args...)
	if err == nil && !hasTurn && (found.src != nil && found.src.Dir || found.dst != nil && found.dst.Dir) {
		err = errRaced
	}
	return found, err
}

// acyclic fails with errRaced if the collection id would come below itself in parent. The statement
// of pair could not see that, because it began before it had its turn.
func (s *Space) acyclic(ctx context.Context, tx tables.Tx, n *node, parent int64) error {
	if !n.Dir {
		return nil
	}
	inside, err := exists(ctx, tx, `WITH RECURSIVE up(id, parent) AS (SELECT id, parent FROM entries WHERE id = $1
		UNION ALL SELECT e.id, e.parent FROM up JOIN entries e ON e.id = up.parent) SELECT 1 FROM up WHERE id = $2`, []any{parent, n.ID})
	if err == nil && inside {
		err = errRaced
	}
	return err
}

// rename gives src the name dst.
func (s *Space) rename(ctx context.Context, tx tables.Tx, src, dst path, replace bool) error {
	if dst.startsWith(src) && len(dst.folds) > len(src.folds) {
		return refuse(syscall.EINVAL)
	}
	at, err := s.pair(ctx, tx, src, dst)
	if err != nil {
		return err
	}
	if at.src == nil || at.parent == 0 {
		return errMissing
	}
	if at.apart {
		if err := s.acyclic(ctx, tx, at.src, at.parent); err != nil {
			return err
		}
	}
	now := time.Now()
	if at.dst != nil && at.dst.ID != at.src.ID {
		if err := s.mayReplace(ctx, tx, at, replace); err != nil {
			return err
		}
		if err := s.detach(ctx, tx, at.dst.ID); err != nil {
			return err
		}
	}
	if err := s.place(ctx, tx, at.src.ID, at.parent, dst, now); err != nil {
		return err
	}
	return s.touch(ctx, tx, now, at.src.Parent, at.parent)
}

// mayReplace returns why at.src may not replace at.dst.
func (s *Space) mayReplace(ctx context.Context, tx tables.Tx, at pair, replace bool) error {
	switch {
	case !replace:
		return errExists
	case at.dst.Dir && !at.src.Dir:
		return refuse(syscall.EISDIR)
	case !at.dst.Dir && at.src.Dir:
		return refuse(syscall.ENOTDIR)
	case at.dst.Dir:
		return s.empty(ctx, tx, at.dst.ID)
	}
	return nil
}

// place gives the entry id a place.
func (s *Space) place(ctx context.Context, tx tables.Tx, id, parent int64, p path, now time.Time) error {
	return tables.Later(ctx, tx, "UPDATE entries SET parent = $2, fold = $3, name = $4, reserved = $5, changed = $6 WHERE id = $1",
		id, parent, p.base(), p.spelling(), storage.Reserved(p.name), nanoseconds(now))
}

// swap swaps two entries.
func (s *Space) swap(ctx context.Context, tx tables.Tx, a, b path) error {
	if a.startsWith(b) || b.startsWith(a) {
		return refuse(syscall.EINVAL)
	}
	at, err := s.pair(ctx, tx, a, b)
	if err != nil {
		return err
	}
	if at.src == nil || at.dst == nil {
		return errMissing
	}
	if at.apart {
		err := s.acyclic(ctx, tx, at.src, at.dst.Parent)
		if err == nil {
			err = s.acyclic(ctx, tx, at.dst, at.src.Parent)
		}
		if err != nil {
			return err
		}
	}
	now := time.Now()
	// Names are unique after each statement, so one of them steps aside.
	if err := s.detach(ctx, tx, at.src.ID); err != nil {
		return err
	}
	if err := s.place(ctx, tx, at.dst.ID, at.src.Parent, a, now); err != nil {
		return err
	}
	if err := s.place(ctx, tx, at.src.ID, at.dst.Parent, b, now); err != nil {
		return err
	}
	return s.touch(ctx, tx, now, at.src.Parent, at.dst.Parent)
}

package names

import (
	"context"
	"io/fs"
	"time"

	"github.com/davd/davd/storage/internal/tables"
)

// Detach implements [Store].
func (s *Space) Detach(ctx context.Context, name string, empty bool) error {
	p, err := parse(name)
	if err == nil && p.isRoot() {
		err = refuse(fs.ErrInvalid)
	}
	if err == nil {
		err = s.change(ctx, true, func(ctx context.Context, tx tables.Tx) error {
			n, err := s.hold(ctx, tx, p)
			if err == nil && empty && n.Dir {
				err = s.empty(ctx, tx, n.ID)
			}
			if err == nil {
				err = s.detach(ctx, tx, n.ID)
			}
			if err == nil {
				err = s.touch(ctx, tx, time.Now(), n.Parent)
			}
			return err
		})
	}
	return s.failed("remove", name, err)
}

// DetachMembers implements [Store].
func (s *Space) DetachMembers(ctx context.Context, name string, members []string) (errs []error, err error) {
	p, err := parse(name)
	if err == nil {
		err = s.change(ctx, true, func(ctx context.Context, tx tables.Tx) (err error) {
			errs, err = s.detachMembers(ctx, tx, p, members)
			return err
		})
	}
	return errs, s.failed("remove", name, err)
}

func (s *Space) detachMembers(ctx context.Context, tx tables.Tx, p path, members []string) ([]error, error) {
	above, err := s.find(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*node, len(members))
	err = tables.Each(ctx, tx, func(rows tables.Rows) error {
		var n node
		err := rows.Scan(n.columns()...)
		found[n.fold] = &n
		return err
	}, "SELECT "+columns+" FROM entries WHERE parent = $1 AND fold IN "+s.sql.array("$2")+" ORDER BY fold"+s.sql.forUpdate,
		above.ID, tables.Array(members, fold))
	if err != nil {
		return nil, err
	}
	var collections []int64
	for _, n := range found {
		if n.Dir {
			collections = append(collections, n.ID)
		}
	}
	full, err := s.full(ctx, tx, collections)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(members))
	var gone []int64
	for i, member := range members {
		switch n := found[fold(member)]; {
		case n == nil:
			errs[i] = fs.ErrNotExist
		case full[n.ID]:
			errs[i] = fs.ErrExist
		default:
			gone = append(gone, n.ID)
			delete(found, n.fold)
		}
	}
	if len(gone) == 0 {
		return errs, nil
	}
	if err := s.detach(ctx, tx, gone...); err != nil {
		return nil, err
	}
	return errs, s.touch(ctx, tx, time.Now(), above.ID)
}

// hold finds and locks an entry.
func (s *Space) hold(ctx context.Context, tx tables.Tx, p path) (node, error) {
	return s.look(ctx, tx, p, s.sql.forUpdate)
}

// empty fails with fs.ErrExist if the collection id, which the transaction holds, has members.
func (s *Space) empty(ctx context.Context, tx tables.Tx, id int64) error {
	full, err := s.full(ctx, tx, []int64{id})
	if err == nil && full[id] {
		err = errExists
	}
	return err
}

// full returns which of the collections have members.
func (s *Space) full(ctx context.Context, tx tables.Tx, ids []int64) (map[int64]bool, error) {
	full := make(map[int64]bool)
	if len(ids) == 0 {
		return full, nil
	}
	err := tables.Each(ctx, tx, func(rows tables.Rows) error {
		var id int64
		err := rows.Scan(&id)
		full[id] = true
		return err
	}, "SELECT id FROM entries above WHERE id IN "+s.sql.ids("$1")+" AND EXISTS (SELECT 1 FROM entries WHERE parent = above.id)", number(ids))
	return full, err
}

// detach moves entries into the trash, each under its ID.
func (s *Space) detach(ctx context.Context, tx tables.Tx, ids ...int64) error {
	return tables.Later(ctx, tx, "UPDATE entries SET parent = $1, fold = CAST(id AS TEXT), name = NULL WHERE id IN "+s.sql.ids("$2"), s.trash, number(ids))
}

// number returns IDs as an argument.
func number(ids []int64) string { return tables.Array(ids, func(id int64) int64 { return id }) }

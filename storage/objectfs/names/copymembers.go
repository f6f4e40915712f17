package names

import (
	"context"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/internal/tables"
)

// CopyMembers implements [Store].
func (s *Space) CopyMembers(ctx context.Context, from, to string, members []string, as string) (errs []error, err error) {
	src, err := parse(from)
	var dst path
	if err == nil {
		dst, err = parse(to)
	}
	if err == nil && as != "" && len(members) != 1 {
		err = refuse(fs.ErrInvalid)
	}
	if err == nil {
		err = s.change(ctx, false, func(ctx context.Context, tx tables.Tx) (err error) {
			errs, err = s.copyMembers(ctx, tx, src, dst, members, as)
			return err
		})
	}
	if err != nil {
		err = &os.LinkError{Op: "copy", Old: from, New: to, Err: storage.Cause(s.failed("copy", from, err))}
	}
	return errs, err
}

func (s *Space) copyMembers(ctx context.Context, tx tables.Tx, from, to path, members []string, as string) ([]error, error) {
	src, err := s.find(ctx, tx, from)
	if err != nil {
		return nil, err
	}
	dst, err := s.look(ctx, tx, to, s.parentLock(ctx))
	if err == nil && !dst.Dir {
		err = errMissing
	}
	if err != nil {
		return nil, err
	}
	sources, err := s.membersNamed(ctx, tx, src.ID, members)
	if err != nil {
		return nil, err
	}
	targets := members
	if as != "" {
		targets = []string{as}
	}
	taken, err := s.membersNamed(ctx, tx, dst.ID, targets)
	if err != nil {
		return nil, err
	}
	errs := make([]error, len(members))
	var folds []string
	for i, member := range members {
		switch n, exists := sources[fold(member)], taken[fold(targets[i])]; {
		case n == nil:
			errs[i] = fs.ErrNotExist
		case n.Dir:
			errs[i] = syscall.EISDIR
		case exists != nil:
			errs[i] = fs.ErrExist
		default:
			taken[fold(targets[i])] = n
			folds = append(folds, n.fold)
		}
	}
	if len(folds) == 0 {
		return errs, nil
	}
	return errs, s.copyFiles(ctx, tx, src.ID, dst.ID, folds, as)
}

// membersNamed returns members of a collection by their folds.
func (s *Space) membersNamed(ctx context.Context, db tables.Queryer, id int64, members []string) (map[string]*node, error) {
	found := make(map[string]*node, len(members))
	err := tables.Each(ctx, db, func(rows tables.Rows) error {
		var n node
		err := rows.Scan(n.columns()...)
		found[n.fold] = &n
		return err
	}, "SELECT "+columns+" FROM entries WHERE parent = $1 AND fold IN "+s.sql.array("$2"), id, tables.Array(members, fold))
	return found, err
}

// copyFiles copies members of src to dst, with other names as copyMembers has found out.
func (s *Space) copyFiles(ctx context.Context, tx tables.Tx, src, dst int64, folds []string, as string) error {
	names, args := "s.reserved, s.fold, s.name", []any(nil)
	if as != "" {
		p := path{folds: []string{fold(as)}, name: as}
		names, args = "CAST($5 AS BOOLEAN), CAST($6 AS TEXT), CAST($7 AS TEXT)", []any{storage.Reserved(as), p.base(), p.spelling()}
	}
	now := time.Now()
	n, bytes := 0, int64(0)
	err := tables.Each(ctx, tx, func(rows tables.Rows) error {
		var size int64
		err := rows.Scan(&size)
		n++
		bytes += size
		return err
	}, "INSERT INTO entries (parent, changed, reserved, fold, name, size, modified, created, perm, dir, blob, sha256)"+
		" SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), "+names+", s.size, s.modified, s.created, s.perm, s.dir, s.blob, s.sha256"+
		" FROM entries s WHERE s.parent = $3 AND s.fold IN "+s.sql.array("$4")+" AND NOT s.dir RETURNING size",
		append([]any{dst, nanoseconds(now), src, tables.Array(folds, func(f string) string { return f })}, args...)...)
	if err == nil && n < len(folds) {
		err = errRaced
	}
	if err == nil {
		err = s.account(ctx, tx, bytes)
	}
	if err == nil {
		err = s.touch(ctx, tx, now, dst)
	}
	return err
}

package names

import (
	"context"

	"github.com/davd/davd/storage/internal/tables"
)

// Find implements [Store].
func (s *Space) Find(ctx context.Context, name string) (Node, error) {
	p, err := parse(name)
	var n node
	if err == nil {
		n, err = s.find(ctx, s.db.Reader(), p)
	}
	return n.Node, s.failed("stat", name, err)
}

// find finds an entry.
func (s *Space) find(ctx context.Context, db tables.Queryer, p path) (node, error) {
	return s.look(ctx, db, p, "")
}

// look finds an entry, and locks it with the given clause.
func (s *Space) look(ctx context.Context, db tables.Queryer, p path, lock string) (n node, err error) {
	if err := s.begin(ctx, db, &p); err != nil {
		return n, err
	}
	found, q := false, &query{}
	where := q.at(p)
	err = tables.Each(ctx, db, func(rows tables.Rows) error {
		found = true
		return rows.Scan(n.columns()...)
	}, "SELECT "+columns+" FROM entries WHERE "+where+lock, q.args...)
	if err == nil && !found {
		err = errMissing
	}
	n.finish()
	return n, err
}

// Open implements [Store].
func (s *Space) Open(ctx context.Context, name string) (Node, []byte, error) {
	n, content, err := s.openNode(ctx, name)
	return n.Node, content, s.failed("open", name, err)
}

func (s *Space) openNode(ctx context.Context, name string) (n node, content []byte, err error) {
	p, err := parse(name)
	if err == nil {
		err = s.begin(ctx, s.db.Reader(), &p)
	}
	if err != nil {
		return n, nil, err
	}
	found, q := false, &query{}
	where := q.at(p)
	err = tables.Each(ctx, s.db.Reader(), func(rows tables.Rows) error {
		found = true
		return rows.Scan(append(n.columns(), &content)...)
	}, "SELECT "+columns+", CASE WHEN blob >= '=' AND blob < '>' THEN (SELECT content FROM objects WHERE key = blob) END FROM entries WHERE "+where, q.args...)
	if err == nil && !found {
		err = errMissing
	}
	n.finish()
	return n, content, err
}

// Members implements [Store].
func (s *Space) Members(ctx context.Context, id int64, after string, limit int) ([]Node, error) {
	all := make([]Node, 0, min(limit, 64))
	err := tables.Each(ctx, s.db.Reader(), func(rows tables.Rows) error {
		var n node
		if err := rows.Scan(n.columns()...); err != nil {
			return err
		}
		n.finish()
		all = append(all, n.Node)
		return nil
	}, "SELECT "+columns+" FROM "+s.sql.members("$1", "$2", "$3", true)+" m", id, fold(after), limit)
	return all, s.db.Failed("listing a collection", err)
}

// exists reports whether a query finds a row, and reads its columns.
func exists(ctx context.Context, db tables.Queryer, query string, args []any, columns ...any) (found bool, err error) {
	err = tables.Each(ctx, db, func(rows tables.Rows) error {
		found = true
		if len(columns) == 0 {
			return nil
		}
		return rows.Scan(columns...)
	}, query, args...)
	return found, err
}

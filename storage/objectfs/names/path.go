package names

import (
	"context"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/text/unicode/norm"

	"github.com/davd/davd/storage/internal/tables"
)

const (
	// maxFold is how many bytes the fold of a name has at most, so that it fits into an index row.
	maxFold = 2000
	// maxDepth is how many segments a statement has at most.
	maxDepth = 24
)

// path is a name in the form in which the database has it.
type path struct {
	folds []string // of the segments; none for the root
	name  string   // the last segment as the client wrote it
}

// parse returns the path of a clean storage name.
func parse(name string) (path, error) {
	trimmed := strings.Trim(name, "/")
	if trimmed == "" {
		return path{}, nil
	}
	p := path{folds: strings.Split(trimmed, "/")}
	p.name = p.folds[len(p.folds)-1]
	for i, segment := range p.folds {
		p.folds[i] = fold(segment)
		if len(p.folds[i]) > maxFold {
			return path{}, refuse(syscall.ENAMETOOLONG)
		}
	}
	return p, nil
}

// fold returns a segment in the form in which it is unique.
func fold(segment string) string { return tables.Text(norm.NFC.String(segment)) }

// isRoot reports whether p is the root.
func (p path) isRoot() bool { return len(p.folds) == 0 }

// up returns the folds of the parent. p is not the root.
func (p path) up() []string { return p.folds[:len(p.folds)-1] }

// base returns the last fold.
func (p path) base() string { return p.folds[len(p.folds)-1] }

// spelling returns the column name: nil if the name is its own fold.
func (p path) spelling() any {
	if text := tables.Text(p.name); text != p.base() {
		return text
	}
	return nil
}

// startsWith reports whether p is q or below it.
func (p path) startsWith(q path) bool {
	if len(p.folds) < len(q.folds) {
		return false
	}
	for i, f := range q.folds {
		if p.folds[i] != f {
			return false
		}
	}
	return true
}

// query is a statement under construction.
type query struct {
	args []any
	root int64
}

// arg adds an argument and returns its place in the statement.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

// id returns an expression for the ID of what has the folds below q.root. Nested queries are
// planned faster than joins, and always use the index.
func (q *query) id(folds []string) string {
	expression := q.arg(q.root)
	for _, f := range folds {
		expression = "(SELECT id FROM entries WHERE parent = " + expression + " AND fold = " + q.arg(f) + ")"
	}
	return expression
}

// at returns the condition for the row of what has the folds below q.root. Unlike a condition on its
// ID, it becomes false when the row gets another name while the statement waits for it.
func (q *query) at(folds []string) string {
	if len(folds) == 0 {
		return "id = " + q.arg(q.root)
	}
	last := len(folds) - 1
	return "parent = " + q.id(folds[:last]) + " AND fold = " + q.arg(folds[last])
}

// begin returns a query for paths, whose folds it shortens: the statement begins at their common
// collection if they are deep.
func (s *Space) begin(ctx context.Context, db tables.Queryer, paths ...*path) (*query, error) {
	q := &query{root: s.root}
	for {
		deep := false
		for _, p := range paths {
			deep = deep || len(p.folds) > maxDepth
		}
		common := commonFolds(paths)
		if !deep || common == 0 {
			return q, nil
		}
		common = min(common, maxDepth)
		next := &query{root: q.root}
		where := next.at(paths[0].folds[:common])
		err := tables.Each(ctx, db, func(rows tables.Rows) error { return rows.Scan(&q.root) },
			"SELECT id FROM entries WHERE "+where, next.args...)
		if err != nil {
			return nil, err
		}
		if q.root == next.root {
			return nil, errMissing
		}
		for _, p := range paths {
			p.folds = p.folds[common:]
		}
	}
}

// commonFolds returns how many collections above all paths are the same.
func commonFolds(paths []*path) int {
	n := 0
	for {
		for _, p := range paths {
			if n >= len(p.folds)-1 || p.folds[n] != paths[0].folds[n] {
				return n
			}
		}
		n++
	}
}

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
	from  int64    // the collection where it begins; set by Space.begin
	folds []string // of the segments below that; none for the root
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

// up returns the parent. p is not the root.
func (p path) up() path { return path{from: p.from, folds: p.folds[:len(p.folds)-1]} }

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
type query struct{ args []any }

// arg adds an argument and returns its place in the statement.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

// id returns an expression for the ID of the entry with the folds of p, or with the first n of them.
// Nested queries are planned faster than joins, and always use the index.
func (q *query) id(p path, n int) string {
	expression := q.arg(p.from)
	for _, f := range p.folds[:n] {
		expression = "(SELECT id FROM entries WHERE parent = " + expression + " AND fold = " + q.arg(f) + ")"
	}
	return expression
}

// at returns the condition for the row of the entry p. Unlike a condition on its ID, it becomes false
// when the row gets another name while the statement waits for it.
func (q *query) at(p path) string {
	if p.isRoot() {
		return "id = " + q.arg(p.from)
	}
	return "parent = " + q.id(p, len(p.folds)-1) + " AND fold = " + q.arg(p.base())
}

// begin makes p begin at a collection not far above it, so that no statement is deep.
func (s *Space) begin(ctx context.Context, db tables.Queryer, p *path) error {
	p.from = s.root
	for len(p.folds) > maxDepth {
		q := &query{}
		above := path{from: p.from, folds: p.folds[:maxDepth-1]}
		found, err := exists(ctx, db, "SELECT id FROM entries WHERE "+q.at(above), q.args, &p.from)
		if err == nil && !found {
			err = errMissing
		}
		if err != nil {
			return err
		}
		p.folds = p.folds[maxDepth-1:]
	}
	return nil
}

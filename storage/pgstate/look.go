package pgstate

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// look is what a brief claim reads first, with one statement: whether the node is a member, and whether
// anything unusual is at the names. Only then are the details read, with another round trip.
type look struct {
	of    *membership
	in    area
	known known

	member, claimed, locked, kept bool
}

// condition is a part of a statement, with the arguments of all parts.
type condition struct {
	strings.Builder

	args []any
}

// arg adds an argument and returns its place.
func (c *condition) arg(v any) string {
	c.args = append(c.args, v)
	return "$" + strconv.Itoa(len(c.args))
}

// among returns the condition that a column is one of names. The index has the first 500 characters.
func (c *condition) among(column string, names []string) string {
	short := make([]string, len(names))
	for i, name := range names {
		short[i] = first500(name)
	}
	return "substr(" + column + ", 1, 500) = ANY(" + c.arg(short) + ") AND " + column + " = ANY(" + c.arg(names) + ")"
}

// within returns the condition that a column is in one of several ranges.
func (c *condition) within(column string, from, to []string) string {
	all := make([]string, len(from))
	for i := range from {
		a, b := c.arg(from[i]), c.arg(to[i])
		all[i] = "substr(" + column + ", 1, 500) BETWEEN substr(" + a + "::TEXT, 1, 500) AND substr(" + b + "::TEXT, 1, 500) AND " +
			column + " >= " + a + " AND " + column + " < " + b
	}
	return "(" + strings.Join(all, " OR ") + ")"
}

// exists adds the column whether the table has a row with any of the conditions.
func (c *condition) exists(table string, conditions ...string) {
	c.WriteString(", FALSE")
	for _, each := range conditions {
		c.WriteString(" OR EXISTS (SELECT FROM " + table + " WHERE " + each + ")")
	}
}

// first500 returns the first 500 characters of a name.
func first500(name string) string {
	if len(name) <= 500 {
		return name
	}
	n := 0
	for i := range name {
		if n == 500 {
			return name[:i]
		}
		n++
	}
	return name
}

// queue adds the statement.
func (l *look) queue(b *pgx.Batch, db *DB) {
	l.member, l.claimed, l.locked, l.kept = false, false, false, false // It may be another attempt.
	k := &l.known
	k.hasLocks, k.locks, k.hasProperties, k.bare = !db.callersTime, nil, true, nil
	c := &condition{}
	c.WriteString("SELECT EXISTS (SELECT FROM nodes WHERE epoch = " + c.arg(l.of.epoch) + ")")
	c.exists("claims", l.claims(c)...)
	locks := []string{c.among("root", slices.Concat(k.keys, k.up))}
	for _, tree := range k.trees {
		locks = append(locks, c.within("root", []string{tree}, []string{after(tree)}))
	}
	c.exists("locks", locks...)
	c.WriteString(", EXISTS (SELECT FROM operations WHERE kept)")
	c.WriteString(", ARRAY(SELECT a FROM unnest(" + c.arg(k.keys) + "::TEXT[]) AS t(a) WHERE NOT EXISTS (SELECT FROM properties" +
		" WHERE substr(name, 1, 500) BETWEEN substr(a, 1, 500) AND substr(left(a, -1) || '0', 1, 500) AND name >= a AND name < left(a, -1) || '0'))")
	b.Queue(c.String(), c.args...).QueryRow(func(row pgx.Row) error {
		return row.Scan(&l.member, &l.claimed, &l.locked, &l.kept, &k.bare)
	})
}

// claims returns the conditions that a claim overlaps the area.
func (l *look) claims(c *condition) []string {
	all := []string{c.among("name", l.in.self)}
	if len(l.in.above) > 0 {
		all = append(all, "scope = 2 AND "+c.among("name", l.in.above))
	}
	if len(l.in.parents) > 0 {
		all = append(all, "scope = 1 AND "+c.among("name", l.in.parents))
	}
	if len(l.in.from) > 0 {
		all = append(all, c.within("name", l.in.from, l.in.to))
	}
	if len(l.in.members) > 0 {
		all = append(all, c.among("parent", l.in.members))
	}
	return all
}

// check reads the details, and refuses the claim if another one overlaps it.
func (l *look) check(ctx context.Context, t *transaction) error {
	if err := l.of.confirm(l.member); err != nil {
		return err
	}
	if l.claimed || l.locked && l.known.hasLocks {
		var holder error
		var b pgx.Batch
		t.db.queueOverlapping(&b, l.in, &holder)
		l.known.queueLocks(&b, (*locks)(t.db))
		if err := t.tx.send(ctx, "reading what is in the way", &b); err != nil {
			return err
		}
		if holder != nil {
			return holder
		}
	}
	t.known.learn(l.known)
	t.kept = l.kept
	return nil
}

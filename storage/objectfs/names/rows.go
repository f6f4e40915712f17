package names

import (
	"math"
	"time"

	"github.com/davd/davd/storage/internal/tables"
)

// columns are those of a Node, in the order of node.columns.
const columns = "id, coalesce(parent, 0), fold, name, dir, coalesce(blob, ''), size, perm, modified, changed, created, sha256"

// optionalColumns are the same of the row e, which may be missing. Then the ID is 0.
const optionalColumns = "coalesce(e.id, 0), coalesce(e.parent, 0), coalesce(e.fold, ''), e.name, coalesce(e.dir, FALSE), coalesce(e.blob, ''), coalesce(e.size, 0)," +
	" coalesce(e.perm, 0), coalesce(e.modified, 0), coalesce(e.changed, 0), coalesce(e.created, 0), e.sha256"

// noColumns are the same of something that only has an ID.
const noColumns = "id, 0, '', NULL, TRUE, '', 0, 0, 0, 0, 0, NULL"

// node is a row of the table entries.
type node struct {
	Node

	fold                       string
	name                       *string
	blob                       string
	modified, changed, created int64
}

// columns returns where the columns go. finish must be called afterwards.
func (n *node) columns() []any {
	return []any{
		&n.ID, &n.Parent, &n.fold, &n.name, &n.Dir, &n.blob, &n.Size, &n.Perm, &n.modified, &n.changed, &n.created, &n.SHA256,
	}
}

func (n *node) finish() {
	n.Name = tables.Untext(n.fold)
	if n.name != nil {
		n.Name = tables.Untext(*n.name)
	}
	if !inline(n.blob) {
		n.Blob = n.blob
	}
	n.Modified, n.Changed, n.Created = time.Unix(0, n.modified), time.Unix(0, n.changed), time.Unix(0, n.created)
}

// inlinePrefix begins the keys of objects whose content is in the database.
const inlinePrefix = "="

func inline(key string) bool { return len(key) > 0 && key[:1] == inlinePrefix }

// nanoseconds returns t as a column has it. Times that don't fit are the first or last that does.
func nanoseconds(t time.Time) int64 {
	switch s := t.Unix(); {
	case s <= math.MinInt64/int64(time.Second):
		return math.MinInt64 / int64(time.Second) * int64(time.Second)
	case s >= math.MaxInt64/int64(time.Second):
		return math.MaxInt64 / int64(time.Second) * int64(time.Second)
	}
	return t.UnixNano()
}

// exact returns t as it will be read again.
func exact(t time.Time) time.Time { return time.Unix(0, nanoseconds(t)) }

package names

import (
	"context"
	"crypto/rand"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
)

const (
	// copyBatch is how many entries a transaction copies at most, and copyCollections from how many
	// collections.
	copyBatch       = 5000
	copyCollections = 500
)

// copyColumns are those that a copy takes over.
const copyColumns = "size, modified, created, perm, dir, name, blob, sha256"

// copying is a copy of a tree. Its transactions put collections whose members still have to be
// copied into the table copying, because a tree can have more of them than memory. The rows end
// with the epoch.
type copying struct {
	*Space

	id, epoch string
	from, to  path
	zeroDepth bool
	tree      int64 // the ID of from, if that is a collection with members to copy
}

// progress is what a transaction has copied.
type progress struct {
	members, bytes int64
	more           bool // there are collections left
}

// Copy implements [Store].
func (s *Space) Copy(ctx context.Context, from, to string, zeroDepth bool, copied func(members, bytes int64) error) error {
	err := s.copy(ctx, from, to, zeroDepth, copied)
	if err == nil {
		return nil
	}
	err = s.failed("copytree", from, err)
	if path, ok := err.(*fs.PathError); ok { //nolint:errorlint // failed has made it
		return &os.LinkError{Op: path.Op, Old: from, New: to, Err: path.Err}
	}
	return err
}

func (s *Space) copy(ctx context.Context, from, to string, zeroDepth bool, report func(members, bytes int64) error) (err error) {
	c := &copying{Space: s, id: strings.ToLower(rand.Text()), epoch: s.db.Epoch(), zeroDepth: zeroDepth}
	if c.from, err = parse(from); err == nil {
		c.to, err = parse(to)
	}
	if err == nil {
		err = c.check()
	}
	step, more := c.begin, true
	for err == nil && more {
		var done progress
		err = s.change(ctx, false, func(ctx context.Context, tx tables.Tx) (err error) {
			done, err = step(ctx, tx)
			return err
		})
		if err == nil && report != nil {
			if failure := report(done.members, done.bytes); failure != nil {
				err = refusal{error: failure, foreign: true}
			}
		}
		more = done.more
		step = c.next
	}
	if err == nil {
		return c.sourceStays(ctx)
	}
	if c.tree != 0 {
		// Without it, the rows stay until the epoch is over, which does no harm.
		_ = s.change(context.WithoutCancel(ctx), true, func(ctx context.Context, tx tables.Tx) error {
			_, err := tx.Exec(ctx, "DELETE FROM copying WHERE copy = $1", c.id)
			return err
		})
	}
	return err
}

// check refuses a copy that would copy itself.
func (c *copying) check() error {
	switch {
	case c.to.isRoot():
		return errExists
	case c.to.startsWith(c.from) && !storage.Reserved(strings.Join(c.to.folds[len(c.from.folds):], "/")):
		return refuse(storage.ErrOverlap)
	}
	return nil
}

// begin copies the root of the tree, with the first members.
func (c *copying) begin(ctx context.Context, tx tables.Tx) (done progress, err error) {
	if err := c.alive(ctx, tx); err != nil {
		return done, err
	}
	src, err := c.find(ctx, tx, c.from)
	if err != nil {
		return done, err
	}
	at, err := c.spot(ctx, tx, c.to, "", false)
	if err == nil && at.old != nil {
		err = errExists
	}
	if err == nil {
		err = c.allow(at.used, src.Size)
	}
	if err != nil {
		return done, err
	}
	n := src
	n.Changed = time.Now()
	if _, err := c.insert(ctx, tx, at, c.to, n); err != nil {
		return done, err
	}
	if c.zeroDepth || !src.Dir {
		return progress{1, src.Size, false}, c.keep(ctx, tx)
	}
	c.tree = src.ID
	err = tables.Later(ctx, tx, "INSERT INTO copying (copy, epoch, src, dst, after) VALUES ($1, $2, $3, $4, '')", c.id, c.epoch, src.ID, at.id)
	if err != nil {
		return done, err
	}
	done, err = c.batch(ctx, tx)
	done.members++
	return done, err
}

// alive makes sure that the epoch of the copy is not over. The rows in copying have ended with it.
func (c *copying) alive(ctx context.Context, tx tables.Tx) error {
	alive, err := exists(ctx, tx, "SELECT 1 FROM nodes WHERE epoch = $1"+c.sql.keyShare, []any{c.epoch})
	if err == nil && !alive {
		err = refuse(cluster.ErrFenced)
	}
	return err
}

// next copies the next members.
func (c *copying) next(ctx context.Context, tx tables.Tx) (progress, error) {
	if err := c.alive(ctx, tx); err != nil {
		return progress{}, err
	}
	return c.batch(ctx, tx)
}

// collection is a row of the table copying.
type collection struct {
	seq, src, dst int64
	after         string
}

// batch copies members of the next collections.
func (c *copying) batch(ctx context.Context, tx tables.Tx) (done progress, err error) {
	var next []collection
	err = tables.Each(ctx, tx, func(rows tables.Rows) error {
		var one collection
		err := rows.Scan(&one.seq, &one.src, &one.dst, &one.after)
		next = append(next, one)
		return err
	}, "SELECT seq, src, dst, after FROM copying WHERE copy = $1 ORDER BY seq LIMIT $2", c.id, copyCollections)
	if err != nil {
		return done, err
	}
	more := len(next) == copyCollections
	switch {
	case len(next) == 0:
		return done, nil
	case next[0].after != "": // It has many members. The join would sort all that are left for each batch.
		more = len(next) > 1
		next = next[:1]
	}
	made, err := c.members(ctx, tx, next)
	if err != nil {
		return done, err
	}
	if made.collections {
		err = tables.Later(ctx, tx, `INSERT INTO copying (copy, epoch, src, dst, after)
			SELECT $1, $2, s.id, d.id, '' FROM copying c JOIN entries d ON d.parent = c.dst AND d.fold > c.after AND d.dir
			JOIN entries s ON s.parent = c.src AND s.fold = d.fold AND s.dir WHERE c.copy = $3 AND c.seq <= $4`,
			c.id, c.epoch, c.id, next[made.last].seq)
		if err != nil {
			return done, err
		}
	}
	if err := c.advance(ctx, tx, next, made); err != nil {
		return done, err
	}
	done = progress{made.members, made.bytes, made.collections || made.members == copyBatch || more}
	return done, c.account(ctx, tx, made.bytes)
}

// made is what a batch has copied.
type made struct {
	members, bytes int64
	collections    bool // some of the members are collections
	// last is the index of the collection with the last copied member, and fold is that member.
	last int
	fold string
}

// members copies members of the collections next, in their order.
func (c *copying) members(ctx context.Context, tx tables.Tx, next []collection) (m made, err error) {
	source, args := c.source(next)
	index := make(map[int64]int, len(next))
	for i, one := range next {
		index[one.dst] = i
	}
	err = tables.Each(ctx, tx, func(rows tables.Rows) error {
		var (
			parent, size int64
			fold         string
			dir          bool
		)
		if err := rows.Scan(&parent, &fold, &dir, &size); err != nil {
			return err
		}
		m.members++
		m.bytes += size
		m.collections = m.collections || dir
		if i := index[parent]; i > m.last || i == m.last && fold > m.fold {
			m.last, m.fold = i, fold
		}
		return nil
	}, "INSERT INTO entries (parent, changed, reserved, fold, "+copyColumns+") "+source+" RETURNING parent, fold, dir, size", args...)
	if m.members < copyBatch {
		m.last = len(next) - 1
	}
	return m, err
}

// source returns the query for the next members.
func (c *copying) source(next []collection) (query string, args []any) {
	now := nanoseconds(time.Now())
	if len(next) == 1 {
		return "SELECT CAST($4 AS BIGINT), CAST($5 AS BIGINT), FALSE, fold, " + copyColumns + " FROM " + c.sql.members("$1", "$2", "$3", false) + " s WHERE TRUE",
			[]any{next[0].src, next[0].after, copyBatch, next[0].dst, now}
	}
	return "SELECT c.dst, CAST($1 AS BIGINT), FALSE, s.fold, " + copyColumns +
			" FROM (SELECT seq, src, dst, after FROM copying WHERE copy = $2 AND seq <= $3 ORDER BY seq LIMIT $4) c" +
			" JOIN entries s ON s.parent = c.src AND s.fold > c.after WHERE NOT s.reserved ORDER BY c.seq, s.fold LIMIT $5",
		[]any{now, c.id, next[len(next)-1].seq, copyCollections, copyBatch}
}

// advance notes what is left of the collections next.
func (c *copying) advance(ctx context.Context, tx tables.Tx, next []collection, m made) error {
	seq := next[m.last].seq
	if m.members == copyBatch {
		if err := tables.Later(ctx, tx, "UPDATE copying SET after = $3 WHERE copy = $1 AND seq = $2", c.id, seq, m.fold); err != nil {
			return err
		}
		seq-- // That one stays.
	}
	return tables.Later(ctx, tx, "DELETE FROM copying WHERE copy = $1 AND seq <= $2", c.id, seq)
}

// account counts copied bytes and makes sure that their objects stay.
func (s *Space) account(ctx context.Context, tx tables.Tx, bytes int64) error {
	if s.limit.Load() > 0 {
		used, err := s.used(ctx, tx)
		if err == nil {
			err = s.allow(used, bytes)
		}
		if err != nil {
			return err
		}
	}
	if err := s.use(ctx, tx, bytes); err != nil {
		return err
	}
	return s.keep(ctx, tx)
}

// keep makes sure that all objects of new entries stay. PostgreSQL's foreign key has already locked
// the objects against the collector, which may just have doomed one before.
func (s *Space) keep(ctx context.Context, tx tables.Tx) error {
	lost, err := exists(ctx, tx, "SELECT 1 FROM objects o WHERE volume = $1 AND doomed AND EXISTS (SELECT 1 FROM entries WHERE blob = o.key) LIMIT 1", []any{s.id})
	if err == nil && lost {
		err = errRaced // The source doesn't have that object any more.
	}
	return err
}

// sourceStays fails with fs.ErrNotExist if the source was removed or moved meanwhile. Then the copy
// may lack members.
func (c *copying) sourceStays(ctx context.Context) error {
	if c.tree == 0 {
		return nil
	}
	n, err := c.find(ctx, c.db.Reader(), c.from)
	if err == nil && n.ID != c.tree {
		err = errMissing
	}
	return err
}

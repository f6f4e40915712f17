package names

import (
	"context"
	"crypto/rand"
	"strings"
	"syscall"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
)

// Put implements [Store].
func (s *Space) Put(ctx context.Context, name string, c Content, p Placing) (made Node, err error) {
	where, err := parse(name)
	if err == nil && where.isRoot() {
		err = refuse(syscall.EISDIR)
	}
	if err != nil {
		return made, s.failed("put", name, err)
	}
	made, ok, err := s.gather(ctx, where, c, p)
	if !ok {
		err = s.change(ctx, false, func(ctx context.Context, tx tables.Tx) error {
			made, err = s.put(ctx, tx, where, c, p)
			return err
		})
	}
	return made, s.failed("put", name, err)
}

// Mkdir implements [Store].
func (s *Space) Mkdir(ctx context.Context, name string, perm uint32) (made Node, err error) {
	where, err := parse(name)
	if err == nil && where.isRoot() {
		err = errExists
	}
	if err == nil {
		err = s.change(ctx, false, func(ctx context.Context, tx tables.Tx) error {
			spot, err := s.spot(ctx, tx, where, "", false)
			if err == nil && spot.old != nil {
				err = errExists
			}
			if err != nil {
				return err
			}
			now := time.Now()
			made, err = s.insert(ctx, tx, spot, where, node{Node: Node{Dir: true, Perm: perm, Modified: now, Changed: now, Created: now}})
			return err
		})
	}
	return made, s.failed("mkdir", name, err)
}

// spot is where a new entry goes. Its transaction holds it.
type spot struct {
	parent, id int64 // the IDs of the collection, and for the new entry
	dir        bool  // parent is a collection
	old        *node // what has the name now
	alive      bool  // the epoch of the new object is not over, and the object not doomed
	used       int64 // bytes; 0 without a quota
}

// spot finds and locks the place for the new content of key, which may be "". rebuilt is that of Placing.
func (s *Space) spot(ctx context.Context, tx tables.Tx, p path, key string, rebuilt bool) (found spot, err error) {
	if s.sql.reserveID != "" {
		if err := tables.Later(ctx, tx, s.sql.reserveID); err != nil {
			return found, err
		}
	}
	if err := s.begin(ctx, tx, &p); err != nil {
		return found, err
	}
	q := &query{}
	alive, used := s.stays(q, key, rebuilt), "0"
	if s.limit.Load() > 0 {
		used = "(SELECT CAST(sum(bytes) AS BIGINT) FROM volume_use WHERE volume = " + q.arg(s.id) + ")"
	}
	statement := "WITH above AS (SELECT id, dir FROM entries WHERE " + q.at(p.up()) + s.parentLock(ctx) + ")" +
		" SELECT a.id, a.dir, " + s.sql.nextID + ", " + alive + ", " + used + ", " + optionalColumns +
		" FROM above a LEFT JOIN (SELECT * FROM entries WHERE parent = (SELECT id FROM above) AND fold = " + q.arg(p.base()) + s.sql.forUpdate + ") e ON TRUE"
	err = errMissing
	failed := tables.Each(ctx, tx, func(rows tables.Rows) error {
		var old node
		if err := rows.Scan(append([]any{&found.parent, &found.dir, &found.id, &found.alive, &found.used}, old.columns()...)...); err != nil {
			return err
		}
		if found.dir {
			err = nil
		}
		if old.ID != 0 {
			old.finish()
			found.old = &old
		}
		return nil
	}, statement, q.args...)
	if failed != nil {
		return found, failed
	}
	return found, err
}

// parentLock returns what keeps a collection from being removed or moved until a transaction ends. In that of a
// claim, no other change can do that. A lock would also be slow: all uploads into a collection would
// lock its row while each of them modifies it.
func (s *Space) parentLock(ctx context.Context) string {
	if s.db.InTransaction(ctx) {
		return ""
	}
	return s.sql.keyShare
}

// stays returns the condition that the object key exists and stays. Every transaction holds the epoch of
// this process, whose earlier ones are over.
func (s *Space) stays(q *query, key string, rebuilt bool) string {
	switch {
	case key == "" || inline(key):
		return "TRUE"
	case rebuilt:
		return "NOT EXISTS (SELECT 1 FROM objects WHERE key = " + q.arg(key) + " AND doomed)"
	}
	epoch, _, _ := strings.Cut(key, "-")
	return "EXISTS (SELECT 1 FROM nodes WHERE epoch = " + q.arg(epoch) + ")" +
		" AND NOT EXISTS (SELECT 1 FROM objects WHERE key = " + q.arg(key) + ")"
}

// put puts content in place.
func (s *Space) put(ctx context.Context, tx tables.Tx, p path, c Content, how Placing) (made Node, err error) {
	key := keyOf(c)
	at, err := s.spot(ctx, tx, p, key, how.Rebuilt)
	if err != nil {
		return made, err
	}
	if err := s.mayPut(ctx, at, c, how); err != nil {
		return made, err
	}
	if key != "" {
		statement := "INSERT INTO objects (key, volume, size, content) VALUES ($1, $2, $3, $4)"
		if how.Rebuilt {
			statement += " ON CONFLICT (key) DO NOTHING"
		}
		var content []byte
		if inline(key) {
			content = c.Data
		}
		if err := tables.Later(ctx, tx, statement, key, s.id, c.Size, content); err != nil {
			return made, err
		}
	}
	n := fileOf(key, c, how, time.Now())
	if at.old == nil {
		return s.insert(ctx, tx, at, p, n)
	}
	if made, err = s.replaceRow(ctx, tx, at, n); err == nil {
		err = s.use(ctx, tx, n.Size-at.old.Size)
	}
	return made, err
}

// keyOf returns the key of the object with content; "" if it is empty.
func keyOf(c Content) string {
	if c.Blob == "" && len(c.Data) > 0 {
		return inlinePrefix + strings.ToLower(rand.Text())
	}
	return c.Blob
}

// fileOf returns a new file.
func fileOf(key string, c Content, how Placing, now time.Time) node {
	n := node{Node: Node{Size: c.Size, Perm: how.Perm, Modified: now, Changed: now, Created: now, SHA256: c.SHA256}, blob: key}
	if !how.Modified.IsZero() {
		n.Modified = how.Modified
	}
	return n
}

// mayPut returns why the content may not be put at the spot.
func (s *Space) mayPut(ctx context.Context, at spot, c Content, how Placing) error {
	switch {
	case !at.dir:
		return errMissing
	case at.old != nil && how.Create:
		return errExists
	case at.old != nil && at.old.Dir:
		return refuse(syscall.EISDIR)
	}
	grows := c.Size
	var old *Node
	if at.old != nil {
		old = &at.old.Node
		grows -= old.Size
	}
	if how.Check != nil {
		if err := how.Check(ctx, old); err != nil {
			return refusal{error: err, foreign: true}
		}
	}
	if !at.alive {
		return refuse(cluster.ErrFenced)
	}
	return s.allow(at.used, grows)
}

// insert makes the entry n at a spot without one.
func (s *Space) insert(ctx context.Context, tx tables.Tx, at spot, p path, n node) (Node, error) {
	n.ID, n.Parent, n.Name = at.id, at.parent, p.name
	n.finishNew()
	err := tables.Later(ctx, tx, `INSERT INTO entries (id, parent, size, modified, changed, created, perm, dir, reserved, fold, name, blob, sha256)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		n.ID, n.Parent, n.Size, nanoseconds(n.Modified), nanoseconds(n.Changed), nanoseconds(n.Created), n.Perm, n.Dir,
		storage.Reserved(p.name), p.base(), p.spelling(), reference(n.blob), n.SHA256)
	if err == nil {
		err = s.use(ctx, tx, n.Size)
	}
	if err == nil {
		err = s.touch(ctx, tx, n.Changed, n.Parent)
	}
	return n.Node, err
}

// finishNew makes a new node what it will be when it is read again.
func (n *node) finishNew() {
	if n.Blob = ""; !inline(n.blob) {
		n.Blob = n.blob
	}
	n.Modified, n.Changed, n.Created = exact(n.Modified), exact(n.Changed), exact(n.Created)
}

// replaceRow gives the file at a spot the content of n. The caller counts the bytes.
func (s *Space) replaceRow(ctx context.Context, tx tables.Tx, at spot, n node) (Node, error) {
	made := at.old.Node
	made.ID, made.Size, made.SHA256, made.Blob = at.id, n.Size, n.SHA256, ""
	if !inline(n.blob) {
		made.Blob = n.blob
	}
	made.Modified, made.Changed = exact(n.Modified), exact(n.Changed)
	err := tables.Later(ctx, tx, "UPDATE entries SET id = $2, size = $3, modified = $4, changed = $5, blob = $6, sha256 = $7 WHERE id = $1",
		at.old.ID, made.ID, made.Size, nanoseconds(made.Modified), nanoseconds(made.Changed), reference(n.blob), n.SHA256)
	if err == nil && at.old.blob != "" {
		err = s.loosen(ctx, tx, at.old.blob)
	}
	return made, err
}

// reference returns the column blob.
func reference(key string) any {
	if key == "" {
		return nil
	}
	return key
}

// touch makes collections modified now, because their members have changed. Another transaction
// may be doing the same: then its time is as good, and to wait for it would make all uploads into
// a collection wait for each other's commit.
func (s *Space) touch(ctx context.Context, tx tables.Tx, now time.Time, ids ...int64) error {
	for i, id := range ids {
		if i > 0 && id == ids[0] {
			continue
		}
		err := tables.Later(ctx, tx, "UPDATE entries SET modified = $2, changed = $2 WHERE id = (SELECT id FROM entries WHERE id = $1"+s.sql.skipLocked+")",
			id, nanoseconds(now))
		if err != nil {
			return err
		}
	}
	return nil
}

package sqlstate

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/internal/tables"
)

// # Work that must not fail for lack of space
//
// Once a COPY, MOVE or DELETE has changed the share, dead properties, locks and the
// journal must follow. Every change of an SQLite file first appends to its log, even a
// deletion. So the space for these changes is allocated before the share is changed. It
// is held by the reserve, a file beside the database whose content has no meaning.
//
//   - The base of the reserve is for work that frees space: a DELETE, an UNLOCK, the
//     removal of a record.
//   - Secure adds a promise to the reserve for each operation that is about to change
//     the share. The promise is as large as the most that may be written for this
//     operation. If the promise can't be added, nothing has been changed, so the
//     response 507 is correct.
//   - If urgent work finds the disk full, it empties the file, makes its change, and
//     fills the file again with the space that is left, all in one turn. Ordinary
//     changes never do that. So within davd only urgent work uses the reserve, and no
//     more than was promised to it.
//
// Other programs can take the freed space in that moment, and a disk can fail. Then the
// urgent change does fail. But nothing is lost: the record stays in the journal, the
// caller tries again, and so does the next start.

const (
	// reserveBase is the size of the base in bytes, unless the disk is small.
	reserveBase = 1 << 20
	// reserveSlack is how many bytes of past promises stay in the file for the next
	// one.
	reserveSlack = 256 << 10
	// reserveShare is the divisor of the free space: on a small disk the base takes a
	// quarter.
	reserveShare = 4
	// reserveSuffix follows the name of the database in that of the file.
	reserveSuffix = "-reserve"
)

// reserve holds space on the disk. It is used only in turn.
type reserve struct {
	path string
	file *os.File // nil if it could not be opened
	// base and promised add up to the number of bytes that the file should have. size
	// is the number that it has.
	base, promised, size int64
	// promising reports that there was a promise since the start. Before the first one,
	// the file may be larger than it should be, because recovery may need the space.
	promising bool
}

// openReserve opens the file. It may be larger than the base: after a crash, recovery
// needs the space that was promised.
func openReserve(path string) (*reserve, error) {
	r := &reserve{path: path}
	if info, err := os.Lstat(path); err == nil {
		if !info.Mode().IsRegular() {
			return r, fmt.Errorf("%s: is not a regular file", path)
		}
		r.size = info.Size()
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return &reserve{path: path}, err
	}
	r.file, r.base = file, min(r.size, reserveBase)
	return r, nil
}

// yieldReserve gives up a part of the file, so that davd can start on a full disk. A
// start needs less than that part, and recovery may need the rest.
func yieldReserve(path string) bool {
	const part = 256 << 10
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() >= part && os.Truncate(path, info.Size()-part) == nil
}

func (r *reserve) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// grow makes the base as large as it should be on a disk with free bytes. It frees the
// space that the file has beyond base and promises.
func (r *reserve) grow(free int64) error {
	r.base = max(r.base, min(reserveBase, (free+r.size)/reserveShare))
	return r.settle(0)
}

// settle gives the file the size that it should have, as far as there is space. It lets
// the file keep slack more bytes.
func (r *reserve) settle(slack int64) error {
	want := r.base + r.promised
	if r.size > want+slack && r.promising {
		return r.cut(want + slack)
	}
	return r.fill(want)
}

// promise adds n bytes, either all or none. It does not refill a base that was used.
func (r *reserve) promise(n int64) error {
	before := r.size
	if err := r.fill(min(before, r.base+r.promised) + n); err != nil {
		return errors.Join(err, r.cut(before))
	}
	r.promised += n
	r.promising = true
	return nil
}

// cut shortens the file to size.
func (r *reserve) cut(size int64) error {
	if r.file == nil || r.size <= size {
		return nil
	}
	if err := r.file.Truncate(size); err != nil {
		return err
	}
	r.size = size
	return nil
}

// fill extends the file to size, with bytes that a filesystem can't compress.
func (r *reserve) fill(size int64) error {
	if r.file == nil {
		return fmt.Errorf("%s: %w", r.path, storage.ErrState)
	}
	if r.size >= size {
		return nil
	}
	block := make([]byte, min(64<<10, size-r.size))
	for r.size < size {
		_, _ = rand.Read(block) // It never fails.
		n, err := r.file.WriteAt(block[:min(int64(len(block)), size-r.size)], r.size)
		r.size += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// Secure implements deadprops.Securer. It allocates the space that may be written by
// Move, Copy or Remove for the trees src and dst, by the end of that many locks, and by
// the journal. If dst is "" and the base of the reserve suffices, it allocates nothing:
// so a removal works on a full disk.
func (db *DB) Secure(ctx context.Context, src, dst string, locks int) (release func(), err error) {
	need, err := db.need(ctx, src, dst)
	if err != nil {
		return nil, failed("reserving space", err)
	}
	need += int64(locks) * lockCost
	if err := db.enter(ctx); err != nil {
		return nil, failed("reserving space", err)
	}
	defer db.leave()
	if dst == "" && need <= db.reserve.size-db.reserve.promised {
		return func() {}, nil
	}
	need += baseCost
	if err := db.reserve.promise(need); err != nil {
		return nil, failed("reserving space", unwritable(err))
	}
	return sync.OnceFunc(func() { db.fulfilled(need) }), nil
}

// fulfilled ends a promise.
func (db *DB) fulfilled(promised int64) {
	db.turn <- struct{}{}
	defer db.leave()
	db.reserve.promised -= promised
	// The next promise can use the space immediately. When no change has come for a
	// while, tidy frees what is left of it, and fills a base that can't be filled now.
	_ = db.reserve.settle(reserveSlack)
}

const (
	pageCost = 4096 + 24 // bytes that a page takes in the log
	// baseCost is what each operation writes in any case: a few pages in each of its
	// transactions.
	baseCost = 16 * pageCost
	// lockCost is what the end of one lock writes.
	lockCost = 1 << 10
	// inline is how many bytes of a row may be on the page of the table
	// (https://sqlite.org/fileformat2.html#b_tree_pages). The others are on pages of
	// their own.
	inline = 1002
)

// need returns how many bytes the log and the database may grow by when the properties
// of the tree src replace those of dst. Each row is written to a new page that may be
// only half full, and its old page is written too. Earlier changes are already in the
// database by then (tidyStep).
func (db *DB) need(ctx context.Context, src, dst string) (int64, error) {
	from, to := tables.Tree(src)
	rows, inlined, pages, err := db.extent(ctx, from, to)
	if err != nil {
		return 0, err
	}
	if dst == "" {
		return 2*inlined + rows/64*pageCost, nil
	}
	longer := max(0, int64(len(tables.Key(dst))-len(tables.Key(src))))
	need := 5*inlined + 3*pages*pageCost + rows*5*longer
	from, to = tables.Tree(dst)
	rows, inlined, _, err = db.extent(ctx, from, to)
	return need + 2*inlined + rows/64*pageCost, err
}

// extent returns how many properties a range has, how many of their bytes are on pages
// of the table, and how many pages hold the others. An owner counts as 48 bytes,
// because the owner of a copy may have a longer name than that of the original.
func (db *DB) extent(ctx context.Context, from, to string) (rows, inlined, pages int64, err error) {
	if db.bare.Load() {
		return 0, 0, 0, nil
	}
	err = db.reader.QueryRowContext(ctx, `SELECT count(*),
			coalesce(sum(CASE WHEN size > $3 THEN $3 ELSE size END), 0),
			coalesce(sum(CASE WHEN size > $3 THEN size / 4000 + 1 ELSE 0 END), 0)
		FROM (SELECT 16 + 48 + length(name) + length(space) + length(local) + length(lang) + length(value) AS size
			FROM properties WHERE name >= $1 AND name < $2) AS sizes`, from, to, inline).Scan(&rows, &inlined, &pages)
	return rows, inlined, pages, err
}

// urgently is like transact, for work that must not fail for lack of space: it may use
// the reserve.
func (db *DB) urgently(ctx context.Context, f func(tx *sql.Tx) error) error {
	err := db.transact(ctx, f)
	held := db.reserve.size
	if !storage.NoSpace(full(err)) || held == 0 {
		return err
	}
	if cutErr := db.reserve.cut(0); cutErr != nil {
		return errors.Join(err, cutErr)
	}
	db.log.Warn("the disk of the state is full: davd uses its reserved space",
		"database", db.path, "bytes", held)
	err = db.transact(ctx, f)
	// Once the log is in the database, the next change needs no new space.
	db.checkpoint(ctx, "RESTART")
	if db.reserve.fill(held) != nil {
		db.log.Warn("davd could not restore the reserved space of the state: free some space on its disk",
			"database", db.path, "bytes", db.reserve.size, "of", held)
	}
	return err
}

// transact runs f in a transaction. If the disk is full, it moves the log into the
// database and tries again: the change then starts at the beginning of the log, which
// needs no new space.
//
// After any other disk failure, the log may hold the change although it was not
// acknowledged. To get rid of it, transact moves the log into the database, without the
// change, and empties the log.
func (db *DB) transact(ctx context.Context, f func(tx *sql.Tx) error) error {
	err := transact(ctx, db.writer, f)
	switch {
	case err == nil:
	case storage.NoSpace(full(err)):
		db.checkpoint(ctx, "RESTART")
		err = transact(ctx, db.writer, f)
	case diskFailed(err):
		db.checkpoint(ctx, "TRUNCATE")
	}
	return err
}

// checkpoint moves the log into the database, as far as possible.
func (db *DB) checkpoint(ctx context.Context, mode string) {
	var busy, logged, done int
	_ = db.writer.QueryRowContext(context.WithoutCancel(ctx), "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &logged, &done)
}

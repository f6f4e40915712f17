package sqlstate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"

	"github.com/davd/davd/storage"
)

// # Work that must not fail for lack of room
//
// Once a COPY, MOVE or DELETE has changed the share, dead properties, locks and
// the journal must follow, and every change of an SQLite file appends to its log
// first, even a deletion. So room for that is allocated before anything is
// touched. It is held by the reserve, a file beside the database that is full of
// bytes without meaning.
//
//   - The base of the reserve is for the work that gives room back: a DELETE, an
//     UNLOCK, the end of a record.
//   - A promise is added to it by Secure for each operation that is about to
//     change the share, as large as what may have to be written for it at most. If
//     the promise can't be added, nothing has been touched, and the 507 is true.
//   - Work of the urgent kind that meets a full disk empties the file, does its
//     change, and fills the file again with what is left, all in one turn. Ordinary
//     changes never do that. So within davd only urgent work takes from the
//     reserve, and no more than was promised to it.
//
// Other programs can take the freed room in that moment, and a disk can fail. Then
// the urgent change fails after all. Nothing is lost: the record stays in the
// journal, the caller tries again, and so does the next start.

const (
	// reserveBase is the size of the base, in bytes, where the disk is not small.
	reserveBase = 1 << 20
	// reserveSlack is how much of what was promised stays for the next promise, in bytes.
	reserveSlack = 256 << 10
	// reserveShare is which part of a small disk's free room the base takes.
	reserveShare = 4
	// reserveSuffix is what the file has after the name of the database.
	reserveSuffix = "-reserve"
)

// reserve holds room on the disk. It is used in turn.
type reserve struct {
	path string
	file *os.File // nil: it could not be opened
	// base and promised are the bytes that the file should have, size those that it
	// has.
	base, promised, size int64
	// promising: there was a promise since the start. Before that the file may have
	// more than it should, for recovery.
	promising bool
}

// openReserve opens the file, which may have more than the base: after a kill,
// recovery needs what was promised.
func openReserve(path string) (*reserve, error) {
	r := &reserve{path: path}
	info, err := os.Lstat(path)
	if err == nil && !info.Mode().IsRegular() {
		return r, fmt.Errorf("%s: is not a regular file", path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return r, err
	}
	if info, err = file.Stat(); err != nil {
		return r, errors.Join(err, file.Close())
	}
	r.file, r.size = file, info.Size()
	r.base = min(r.size, reserveBase)
	return r, nil
}

// yieldReserve gives up a part of the file for a start, which needs less than that.
// Recovery may need the rest.
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

// grow makes the base as large as it should be on a disk with free bytes of room, and
// gives back what the file has beyond it and the promises.
func (r *reserve) grow(free int64) error {
	r.base = max(r.base, min(reserveBase, (free+r.size)/reserveShare))
	return r.settle(0)
}

// settle gives the file the size that it should have, as far as there is room. It may
// have slack bytes more.
func (r *reserve) settle(slack int64) error {
	want := r.base + r.promised
	if r.size > want+slack && r.promising {
		return r.cut(want + slack)
	}
	return r.fill(want)
}

// promise adds n bytes, all or none. If the base has been used, it is not made whole.
func (r *reserve) promise(n int64) error {
	before := r.size
	if err := r.fill(min(before, r.base+r.promised) + n); err != nil {
		return errors.Join(err, r.cut(before))
	}
	r.promised += n
	r.promising = true
	return nil
}

// cut makes the file shorter.
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

// fill makes the file longer, with bytes that a filesystem can't compress.
func (r *reserve) fill(size int64) error {
	if r.file == nil {
		return fmt.Errorf("%s: %w", r.path, storage.ErrState)
	}
	if r.size >= size {
		return nil
	}
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(rand.Uint32()) //nolint:gosec // it hides nothing
	}
	random := rand.NewChaCha8(seed)
	block := make([]byte, min(64<<10, size-r.size))
	for r.size < size {
		_, _ = random.Read(block) // never fails
		n, err := r.file.WriteAt(block[:min(int64(len(block)), size-r.size)], r.size)
		r.size += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// Secure implements deadprops.Securer: it allocates what Move, Copy or Remove of the trees
// src and dst may write, what the end of so many locks may, and what the journal
// needs. Without a dst, nothing is allocated as long as the base of the reserve is
// enough: a removal works on a full disk.
func (db *DB) Secure(ctx context.Context, src, dst string, locks int) (release func(), err error) {
	need, err := db.need(ctx, src, dst)
	if err != nil {
		return nil, failed("setting room aside", err)
	}
	need += int64(locks) * lockCost
	if err := db.enter(ctx); err != nil {
		return nil, failed("setting room aside", err)
	}
	defer db.leave()
	if dst == "" && need <= db.reserve.size-db.reserve.promised {
		return func() {}, nil
	}
	need += baseCost
	if err := db.reserve.promise(need); err != nil {
		return nil, failed("setting room aside", unwritable(err))
	}
	return sync.OnceFunc(func() { db.fulfilled(need) }), nil
}

// fulfilled takes a promise back.
func (db *DB) fulfilled(promised int64) {
	if err := db.await(context.Background()); err != nil {
		return
	}
	defer db.leave()
	db.reserve.promised -= promised
	// The next promise can use the room at once. When it is quiet, it is given back, and
	// a base that can't be filled now is filled.
	_ = db.reserve.settle(reserveSlack)
}

const (
	pageCost = 4096 + 24 // of one page in the log, in bytes
	// baseCost is what an operation writes in any case: a few pages in each of its
	// transactions.
	baseCost = 16 * pageCost
	// lockCost is that of one lock that ends.
	lockCost = 1 << 10
	// inline is how many bytes of a row are on the page of the table at most
	// (https://sqlite.org/fileformat2.html#b_tree_pages); the others are on pages
	// of their own.
	inline = 1002
)

// need is how many bytes the log and the database grow by at most when the
// properties of the tree src take the place of those of dst: each row is written
// anew to pages that are half full, and its old page is written as well. Earlier
// changes are in the database by then (tidyStep).
func (db *DB) need(ctx context.Context, src, dst string) (int64, error) {
	from, to := tree(src)
	rows, inlined, pages, err := db.extent(ctx, from, to)
	if err != nil {
		return 0, err
	}
	if dst == "" {
		return 2*inlined + rows/64*pageCost, nil
	}
	longer := max(0, int64(len(key(dst))-len(key(src))))
	need := 5*inlined + 3*pages*pageCost + rows*5*longer
	from, to = tree(dst)
	rows, inlined, _, err = db.extent(ctx, from, to)
	return need + 2*inlined + rows/64*pageCost, err
}

// extent returns how many properties a range has, how many bytes of them are on
// the pages of the table, and how many pages they have for the others. An owner
// counts as 48 bytes,
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

// urgent is change for work that must not fail for lack of room: it may use the
// reserve.
func (db *DB) urgent(ctx context.Context, f func(tx *sql.Tx) error) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.leave()
	return db.urgentInTurn(ctx, f)
}

func (db *DB) urgentInTurn(ctx context.Context, f func(tx *sql.Tx) error) error {
	err := db.transact(ctx, f)
	held := db.reserve.size
	if !storage.NoSpace(full(err)) || held == 0 {
		return err
	}
	if cutErr := db.reserve.cut(0); cutErr != nil {
		return errors.Join(err, cutErr)
	}
	db.log.Warn("the disk of the state is full: davd uses the room that it holds in reserve",
		"database", db.path, "bytes", held)
	err = db.transact(ctx, f)
	// With the log in the database, the next change needs no new room.
	db.checkpoint(ctx, "RESTART")
	if db.reserve.fill(held) != nil {
		db.log.Warn("the reserve of the state is not whole: free some room on its disk",
			"database", db.path, "bytes", db.reserve.size, "of", held)
	}
	return err
}

// transact runs f in a transaction. On a full disk it puts the log into the
// database and tries again: the next change then begins at the start of the log,
// which needs no new room.
//
// After any other failure of the disk the log may have the change although it was
// not acknowledged. Putting the log, without the change, into the database and
// making it empty removes it.
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

// checkpoint puts the log into the database, as far as it can.
func (db *DB) checkpoint(ctx context.Context, mode string) {
	var busy, logged, done int
	_ = db.writer.QueryRowContext(context.WithoutCancel(ctx), "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &logged, &done)
}

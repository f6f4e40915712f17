package pgstate

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/strays"
)

// strayPatience is how long a note may wait for the database. A note is only a help: without it, a
// file stays behind if this node dies.
const strayPatience = 2 * time.Second

// Strays returns where the nodes note the names of their temporary files. To make a note is one round
// trip that does not wait for the disk of the database. Removed notes wait for the next one.
func (db *DB) Strays() strays.Notes { return (*notes)(db) }

// notes is a DB as [strays.Notes].
type notes DB

// forgotten are the notes that must be removed.
type forgotten struct {
	mu  sync.Mutex
	ids []string
}

func (f *forgotten) add(ids ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids = append(f.ids, ids...)
}

func (f *forgotten) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := f.ids
	f.ids = nil
	return ids
}

// Add implements [strays.Notes], like the method below.
func (n *notes) Add(root, name string) strays.Note {
	db := (*DB)(n)
	m, err := db.current()
	if err != nil {
		return strays.Note{}
	}
	id := newID()
	err = db.note("INSERT INTO strays (id, epoch, root, name) VALUES ($1, $2, $3, $4)", id, m.epoch, tables.Text(root), tables.Text(name))
	if err != nil {
		return strays.Note{}
	}
	return strays.NewNote(root, name, func() { db.forgotten.add(id) })
}

func (n *notes) Follow(from string, _ strays.Notes, root, to string) {
	// Without an answer, a file of a node that dies stays behind.
	_ = (*DB)(n).note(`INSERT INTO strays (id, origin, epoch, root, name)
		SELECT gen_random_uuid()::TEXT, coalesce(origin, id), epoch, $2, $3 || substr(name, length($1::TEXT) + 1) FROM strays WHERE starts_with(name, $1)`,
		tables.Text(from), tables.Text(root), tables.Text(to))
}

// note runs a statement that may become durable later, and removes the notes that are forgotten.
func (db *DB) note(query string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), strayPatience)
	defer cancel()
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	ids := db.forgotten.take()
	var b pgx.Batch // It is one transaction.
	b.Queue("SELECT set_config('synchronous_commit', 'off', TRUE)")
	if len(ids) > 0 {
		b.Queue(forgetQuery, ids)
	}
	if query != "" {
		b.Queue(query, args...)
	}
	err = db.trip(ctx, "note", func(ctx context.Context) error { return conn.SendBatch(ctx, &b).Close() })
	if err != nil {
		db.forgotten.add(ids...)
	}
	return db.counted(err)
}

const forgetQuery = "DELETE FROM strays WHERE id = ANY($1) OR origin = ANY($1)"

// LeftStrays returns the notes of nodes that are dead or have left.
func (db *DB) LeftStrays(ctx context.Context) (left []strays.Note, err error) {
	err = db.read(ctx, func(rows pgx.Rows) error {
		var id, root, name string
		err := rows.Scan(&id, &root, &name)
		left = append(left, strays.NewNote(tables.Untext(root), tables.Untext(name), func() { db.forgotten.add(id) }))
		return err
	}, "SELECT id, root, name FROM strays WHERE epoch NOT IN (SELECT epoch FROM nodes) ORDER BY id")
	return left, failed("reading the notes of temporary files", err)
}

// flushStrays removes the notes that are forgotten.
func (db *DB) flushStrays() error {
	db.forgotten.mu.Lock()
	waiting := len(db.forgotten.ids)
	db.forgotten.mu.Unlock()
	if waiting == 0 {
		return nil
	}
	return db.note("")
}

package names

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
)

// Database is the database of a state: a *pgstate.DB or a *sqlstate.DB.
type Database interface {
	Base() tables.Base
}

// Options say which name space [Open] opens.
type Options struct {
	Database Database
	// Identity is that of the store with the objects (blobs.Store). Each has a name space of its
	// own.
	Identity string
	// Limit is the quota in bytes; 0 means no limit.
	Limit int64
}

// Space is a name space. It is safe for concurrent use.
type Space struct {
	db          tables.Base
	sql         dialect
	id          string
	root, trash int64
	limit       atomic.Int64
	slot        atomic.Uint32
	puts        gatherer
}

// Open opens the name space of a store of objects. It makes a new one, with an empty root, if that
// store has none.
func Open(ctx context.Context, o Options) (*Space, error) {
	db := o.Database.Base()
	s := &Space{db: db, sql: dialectOf(db)}
	s.limit.Store(o.Limit)
	if err := s.open(ctx, o.Identity); err != nil {
		return nil, db.Failed("opening the names of the files", err)
	}
	return s, nil
}

func (s *Space) open(ctx context.Context, identity string) error {
	// Each statement may be repeated, and several processes may do this at the same time.
	identity = tables.Text(identity)
	now := time.Now().UnixNano()
	find := func() (bool, error) {
		return exists(ctx, s.db.Reader(), "SELECT id, root, trash FROM volumes WHERE identity = $1", []any{identity}, &s.id, &s.root, &s.trash)
	}
	found, err := find()
	if err == nil && !found {
		if err = s.db.Provide(ctx, newVolume, strings.ToLower(rand.Text()), identity, randomID(), randomID()); err == nil {
			found, err = find()
		}
	}
	if err == nil && !found {
		err = errors.New("the new name space is missing")
	}
	if err != nil {
		return err
	}
	err = s.db.Provide(ctx, `INSERT INTO entries (id, modified, changed, created, perm, dir, reserved, fold)
		VALUES ($1, $3, $3, $3, 511, TRUE, FALSE, ''), ($2, $3, $3, $3, 511, TRUE, FALSE, '') ON CONFLICT (id) DO NOTHING`, s.root, s.trash, now)
	if err != nil {
		return err
	}
	return s.db.Provide(ctx, "INSERT INTO volume_use (volume, slot, bytes) VALUES "+slotRows()+" ON CONFLICT (volume, slot) DO NOTHING", s.id)
}

// newVolume makes a volume with the collections root and trash, whose rows come later.
const newVolume = "INSERT INTO volumes (id, identity, root, trash) VALUES ($1, $2, $3, $4) ON CONFLICT (identity) DO NOTHING"

// randomID returns a negative ID. Those of other entries are positive.
func randomID() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // It never fails.
	return -1 - int64(binary.LittleEndian.Uint64(b[:])>>1)
}

// Root implements [Store].
func (s *Space) Root() int64 { return s.root }

// Volume implements [Store].
func (s *Space) Volume() string { return s.id }

// InTransaction implements [Store].
func (s *Space) InTransaction(ctx context.Context) bool { return s.db.InTransaction(ctx) }

// Epoch returns the epoch with which the keys of new objects begin: "<epoch>-<random>". It fails if
// nothing can be changed at present.
func (s *Space) Epoch() (string, error) {
	if epoch := s.db.Epoch(); epoch != "" {
		return epoch, nil
	}
	return "", fmt.Errorf("%w: it has not joined the others yet", cluster.ErrFenced)
}

// In reports whether the names are in the database of state, and changes of them can belong to its
// transactions (cluster.Claim).
func (s *Space) In(state any) bool {
	db, ok := state.(Database)
	return ok && cluster.Of(state) != nil && db.Base() == s.db
}

// change runs f in a transaction, again if another one has just made a row that
// f wanted to make. f must not change anything before it has found that it can succeed.
func (s *Space) change(ctx context.Context, urgent bool, f func(ctx context.Context, tx tables.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.db.Change(ctx, urgent, func(tx tables.Tx) error { return f(ctx, tx) })
		switch {
		case err == nil, attempt == attempts:
			return err
		case errors.Is(err, errRaced):
		case s.db.InTransaction(ctx), !s.db.Raced(err):
			return err
		}
	}
}

// attempts is how often a change is made that meets another one. Under the claims of davd none does.
// Several programs without claims, which make and remove one name all the time, meet again and again.
const attempts = 50

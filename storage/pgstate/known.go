package pgstate

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/internal/tables"
)

// known is what a transaction has read when it began, because most requests ask for it. It is
// protected by the mutex of the transaction. A call of the transaction that changes locks or
// properties makes it forget them.
type known struct {
	// locks are those that overlap the scopes, if hasLocks. keys are the scopes, and up their ancestors.
	hasLocks bool
	locks    []found
	keys, up []string
	trees    []string // the scopes with everything below them
	// bare are the scopes that had no properties, nor had anything below them, if hasProperties.
	hasProperties bool
	bare          []string
	// oldLocks and oldProperties say that a call is changing them, so that what is read before the
	// change must not be believed.
	oldLocks, oldProperties bool
}

func (k *known) forgetLocks() { k.hasLocks, k.oldLocks = false, true }

func (k *known) forgetProperties() { k.hasProperties, k.oldProperties = false, true }

// learn takes over what a late transaction has read when it began.
func (k *known) learn(read known) {
	read.hasLocks, read.oldLocks = read.hasLocks && !k.oldLocks, k.oldLocks
	read.hasProperties, read.oldProperties = read.hasProperties && !k.oldProperties, k.oldProperties
	*k = read
}

// knowing returns what must be known about the scopes of a claim.
func knowing(scopes []cluster.Scope) known {
	k := known{up: []string{}, trees: []string{}}
	for _, s := range scopes {
		key := tables.Key(storage.Clean(s.Name))
		k.keys, k.up = append(k.keys, key), append(k.up, ancestors(key)...)
		if s.Tree {
			k.trees = append(k.trees, key)
		}
	}
	return k
}

// queueLocks adds the query for the locks.
func (k *known) queueLocks(b *pgx.Batch, l *locks) {
	k.locks = nil
	b.Queue("SELECT "+lockColumns+", "+alive+`, seq FROM (
			SELECT * FROM locks WHERE substr(root, 1, 500) = ANY(SELECT substr(n, 1, 500) FROM unnest($3::TEXT[]) AS n) AND root = ANY($3)
			UNION SELECT locks.* FROM unnest($4::TEXT[]) AS t(a), locks WHERE substr(root, 1, 500) BETWEEN substr(a, 1, 500) AND substr(left(a, -1) || '0', 1, 500)
				AND root >= a AND root < left(a, -1) || '0') AS found`,
		nil, l.holds.list(), slices.Concat(k.keys, k.up), k.trees).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			f, err := scanFound(rows)
			if err != nil {
				return err
			}
			k.locks = append(k.locks, f)
		}
		return rows.Err()
	})
}

// find is Find of the locks. ok is false if it isn't known.
func (k *known) find(name string, tree bool) (all []found, ok bool) {
	key := tables.Key(name)
	if !k.hasLocks || tree && !slices.Contains(k.trees, key) || !tree && !slices.Contains(k.keys, key) && !slices.Contains(k.up, key) {
		return nil, false
	}
	for _, f := range k.locks {
		if f.alive && (f.lock.Covers(name) || tree && storage.Contains(name, f.lock.Root)) {
			all = append(all, f)
		}
	}
	return all, true
}

// unlocked reports whether it is known that no lock exists on name or below it, not even an expired one.
func (k *known) unlocked(name string) bool {
	return k.hasLocks && slices.Contains(k.trees, tables.Key(name)) &&
		!slices.ContainsFunc(k.locks, func(f found) bool { return f.lock.Root == name || storage.Contains(name, f.lock.Root) })
}

// isBare reports whether name and everything below it have no properties. ok is false if it isn't known.
func (k *known) isBare(name string) (bare, ok bool) {
	key := tables.Key(name)
	return slices.Contains(k.bare, key), k.hasProperties && slices.Contains(k.keys, key)
}

// ask calls look with what the transaction of ctx knows, if it has one.
func (db *DB) ask(ctx context.Context, look func(k *known)) {
	t, _ := ctx.Value(transactionKey{db}).(*transaction)
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phase == opened {
		look(&t.known)
	}
}

package pgstate

import (
	"cmp"

	"github.com/jackc/pgx/v5"

	"github.com/davd/davd/storage/internal/tables"
	"github.com/davd/davd/storage/lock"
)

// ownersShare is the divisor of lock.DefaultMaxOwners for one principal, as in package lock.
const ownersShare = 4

// lockUsage is what a principal and a client have.
type lockUsage struct {
	locks, owners             int // of the principal
	clientLocks, clientOwners int
}

// queue adds the queries for the usage.
func (u *lockUsage) queue(b *pgx.Batch, a *acquisition) {
	const sums = "SELECT count(*), coalesce(sum(octet_length(owner)), 0) FROM locks WHERE "
	principal := tables.Text(a.wanted.Principal)
	b.Queue(sums+"substr(principal, 1, 500) = substr($3::TEXT, 1, 500) AND principal = $3 AND "+alive,
		a.now, a.holds.list(), principal).QueryRow(func(row pgx.Row) error { return row.Scan(&u.locks, &u.owners) })
	if a.wanted.Client == "" {
		return
	}
	b.Queue(sums+"client = $3 AND "+alive, a.now, a.holds.list(), clientHash(a.wanted.Client)).
		QueryRow(func(row pgx.Row) error { return row.Scan(&u.clientLocks, &u.clientOwners) })
}

// admit returns why the lock can't be granted, or nil.
func (u *lockUsage) admit(a *acquisition) error {
	w, n := a.wanted, len(a.wanted.OwnerXML)
	if u.locks >= cmp.Or(a.MaxLocks, lock.DefaultMaxPerPrincipal) || w.Client != "" && w.ClientMax > 0 && u.clientLocks >= w.ClientMax {
		return lock.ErrLimit
	}
	if n == 0 {
		return nil
	}
	if err := lock.CheckOwner(w.OwnerXML); err != nil {
		return err
	}
	owners, share := u.owners, lock.DefaultMaxOwners
	switch {
	case w.Principal != "":
		share /= ownersShare
	case w.Client != "":
		owners, share = u.clientOwners, share-share/ownersShare
	}
	if owners+n > share {
		return &lock.OwnerError{Limit: share, All: true}
	}
	return nil
}

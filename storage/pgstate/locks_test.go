package pgstate

import (
	"testing"

	"github.com/davd/davd/storage/lock"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/storagetest/pgtest"
)

const lockLimit = 100

// lockProcess is a lock.Manager with its database.
type lockProcess struct {
	lock.Manager
	dsn string
}

func openLocks(t *testing.T, dsn string) lock.Manager {
	t.Helper()
	db := member(t, dsn, Options{MaxLocks: lockLimit, callersTime: true})
	return lockProcess{db.Locks(), dsn}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	storagetest.LockSuite{
		New: func(t *testing.T) lock.Manager { return openLocks(t, pgtest.Database(t)) },
		Reopen: func(t *testing.T, old lock.Manager) lock.Manager {
			process, ok := old.(lockProcess)
			if !ok {
				t.Fatalf("a %T", old)
			}
			return openLocks(t, process.dsn)
		},
		Limit: lockLimit,
	}.Run(t)
}

func TestLocksThroughPgBouncer(t *testing.T) {
	t.Parallel()
	storagetest.LockSuite{
		New: func(t *testing.T) lock.Manager { return openLocks(t, pgtest.Bouncer(t, pgtest.Database(t))) },
	}.Run(t)
}

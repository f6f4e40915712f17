// Package pgstate keeps the state of several davd processes in a PostgreSQL database: locks, dead
// properties, the journal of running changes, the history of past ones, and what the processes
// need to work on the same files (package cluster).
//
// The database decides about everything. A [DB] has no cache.
//
// Each process is a node with an epoch, a name that is used once. Every change is a transaction
// that locks the row of the epoch against its removal. Once another node has declared this one
// dead and removed the row, nothing can be changed any more under that epoch.
//
// PgBouncer in transaction mode works: nothing depends on a session.
package pgstate

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/davd/davd/storage/journal"
)

// Options configure an open database. The zero value is useful.
type Options struct {
	// Log gets a message when this node joins the cluster, is declared dead or takes over from
	// another one. If Log is nil, these messages are dropped.
	Log *slog.Logger
	// Name is the name of this node for operators. Address may say where it runs.
	Name, Address string
	// LockFile is the path of a file on this machine that names the epoch of this node. A node
	// that opens the file of a dead predecessor takes over from it at once. The directory must
	// exist. If it is "", the others wait until the lease of the predecessor ends.
	LockFile string
	// Fence, if not nil, is called before this node takes over from another one. If it returns
	// an error, the node does not take over, and tries again.
	Fence func(ctx context.Context, epoch, name, address string) error
	// Hides reports whether the change of a record of the journal may hide a name for a moment.
	// If it is nil, none does.
	Hides func(record []byte) bool
	// MaxLocks is how many locks a principal may have at a time; 0 means
	// lock.DefaultMaxPerPrincipal.
	MaxLocks int
	// Timing has zero values for the times of the protocol.
	Timing Timing

	// now makes locks expire by the time that the caller passes instead of the database's clock.
	// It is for tests.
	callersTime bool
	// hook is called before and after each round trip. It is for tests.
	hook func(ctx context.Context, statement string, done bool)
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	Options

	direct bool // Connections lead to the server, whose sessions have the time-outs.
	pool   *pgxpool.Pool
	beats  *pgxpool.Pool // only for renewals, so that no request delays them

	// member is the membership of this node; nil before it has joined.
	member atomic.Pointer[membership]
	// versions orders the writes of records in the journal.
	versions atomic.Int64
	figures  figures
	left     chan struct{} // closed by Leave
	leave    sync.Once
	holds    holds
	file     *lockFile // nil without one

	observer  observer
	server    serverClock
	forgotten forgotten
	chores    chores
	stores    stores
	types     *sync.Pool // see kept
}

// Open opens the database dsn, a URL with the scheme postgres, and creates or upgrades its tables.
// Without a pooler between this process and the server, davd uses prepared statements, which need far
// less of the server's processor. With one, the parameter default_query_exec_mode=cache_statement makes it
// use them too. PgBouncer supports that since version 1.21.
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Timing = o.Timing.filled()
	config, err := configuration(dsn, o)
	if err != nil {
		return nil, err
	}
	direct, err := prepare(ctx, config)
	if err != nil {
		return nil, opening(config.ConnConfig, err)
	}
	if direct {
		useSession(config, dsn, o.Timing)
	}
	db := &DB{Options: o, direct: direct, left: make(chan struct{}), types: newTypes()}
	db.stores = newStores(db)
	db.holds.tokens = make(map[string]bool)
	db.observer.seen = make(map[string]sighting)
	if o.LockFile != "" {
		if db.file, err = openLockFile(o.LockFile); err != nil {
			return nil, err
		}
	}
	beats := config.Copy()
	beats.MaxConns = 2
	if db.pool, err = pgxpool.NewWithConfig(ctx, config); err == nil {
		db.beats, err = pgxpool.NewWithConfig(ctx, beats)
	}
	if err != nil {
		return nil, errors.Join(opening(config.ConnConfig, err), db.Close())
	}
	return db, nil
}

// configuration reads dsn.
func configuration(dsn string, o Options) (*pgxpool.Config, error) {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return nil, errURL // A message of pgx could show a password.
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, badURL(err)
	}
	if config.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement && !names(dsn, "default_query_exec_mode") {
		// A described statement needs no session, so it works with every PgBouncer.
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	if !names(dsn, "pool_max_conns") {
		config.MaxConns = defaultConnections
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = o.Timing.Connect
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "davd"
	}
	return config, nil
}

// useSession makes connections use what belongs to a session of the server: prepared statements, whose
// plans are made once, and the time-outs of transactions. A plan must be as good for a table with
// many rows as for an empty one, so it uses an index wherever one exists.
func useSession(config *pgxpool.Config, dsn string, t Timing) {
	if !names(dsn, "default_query_exec_mode") {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	}
	maps.Copy(config.ConnConfig.RuntimeParams, map[string]string{
		"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "max_parallel_workers_per_gather": "0", "jit": "off",
		"lock_timeout": milliseconds(t.LockWait), "idle_in_transaction_session_timeout": milliseconds(t.Idle),
	})
}

// defaultConnections is how many connections a node uses unless the URL says pool_max_conns.
const defaultConnections = 16

// Close closes the connections. It does not leave the cluster.
func (db *DB) Close() error {
	db.chores.wait()
	for _, pool := range []*pgxpool.Pool{db.pool, db.beats} {
		if pool != nil {
			pool.Close()
		}
	}
	return db.file.close()
}

// Names returns nil: the records of the journal have the names that they were saved with.
func (*DB) Names() journal.Names { return nil }

// Timing has the times of the protocol. A zero value means the time in the comment.
type Timing struct {
	// Renew is how often a node renews its lease (3 s), RenewTimeout how long that may take (2 s).
	Renew, RenewTimeout time.Duration
	// Lease is how long after the begin of the last renewal a node makes changes (8 s).
	Lease time.Duration
	// Missed is how many of its own renewals a node sees without one of another before it
	// declares that one dead (5). Silent is how many make it look silent (3).
	Missed, Silent int
	// Claim is how long Claim waits for other nodes (1 s).
	Claim time.Duration
	// Settle is the pause before works that were not settled are tried again (5 s).
	Settle time.Duration
	// LockWait is how long a statement waits for a lock in the database (3 s), Idle how long a
	// transaction may be idle (5 s).
	LockWait, Idle time.Duration
	// Statement is how long a round trip may take (10 s), Connect how long it may take to connect
	// (3 s).
	Statement, Connect time.Duration
	// Housekeeping is how often old rows are removed (1 min).
	Housekeeping time.Duration
}

// filled returns t with defaults.
func (t Timing) filled() Timing {
	for _, d := range []struct {
		of      *time.Duration
		instead time.Duration
	}{
		{&t.Renew, 3 * time.Second},
		{&t.RenewTimeout, 2 * time.Second},
		{&t.Lease, 8 * time.Second},
		{&t.Claim, time.Second},
		{&t.Settle, 5 * time.Second},
		{&t.LockWait, 3 * time.Second},
		{&t.Idle, 5 * time.Second},
		{&t.Statement, 10 * time.Second},
		{&t.Connect, 3 * time.Second},
		{&t.Housekeeping, time.Minute},
	} {
		if *d.of == 0 {
			*d.of = d.instead
		}
	}
	if t.Missed == 0 {
		t.Missed = 5
	}
	if t.Silent == 0 {
		t.Silent = 3
	}
	return t
}

-- +goose Up

-- Names in claims and operations.names are folded and end with a slash. An index row holds at
-- most 2,704 bytes, so indexes have the first 500 characters of names.

-- The processes that share this database. epoch is random and never used again. A process adds 1
-- to beat while it lives.
CREATE TABLE nodes (
	epoch   TEXT NOT NULL PRIMARY KEY,
	name    TEXT NOT NULL,
	address TEXT NOT NULL,
	beat    BIGINT NOT NULL,
	joined  TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- The changes that outlive a transaction. adopted says that epoch has taken over the work, and
-- must finish or undo it. version orders the writes of record. hides says that a name may be
-- missing for a moment.
CREATE TABLE work (
	seq       BIGINT GENERATED ALWAYS AS IDENTITY,
	id        TEXT NOT NULL PRIMARY KEY,
	epoch     TEXT NOT NULL REFERENCES nodes,
	adopted   BOOLEAN NOT NULL DEFAULT FALSE,
	hides     BOOLEAN NOT NULL DEFAULT FALSE,
	version   BIGINT NOT NULL,
	record    BYTEA,
	operation TEXT
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX work_epoch ON work (epoch);
CREATE INDEX work_operation ON work (operation) WHERE operation IS NOT NULL;

-- What each work has claimed. scope is 0 for the resource itself, 1 with its direct members, 2
-- with its tree.
CREATE TABLE claims (
	work   TEXT NOT NULL REFERENCES work ON DELETE CASCADE,
	name   TEXT COLLATE "C" NOT NULL,
	parent TEXT COLLATE "C" NOT NULL,
	scope  SMALLINT NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX claims_work ON claims (work);
CREATE INDEX claims_name ON claims (substr(name, 1, 500));
CREATE INDEX claims_parent ON claims (substr(parent, 1, 500));

-- One row for each change. The outcome is that of a work. A row without one only says that the
-- transaction id was committed.
CREATE TABLE commits (
	id      TEXT NOT NULL PRIMARY KEY,
	epoch   TEXT NOT NULL,
	outcome TEXT,
	made    TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX commits_made ON commits (made);

-- Locks. seq is the order of creation. duration is in nanoseconds, or -1 for infinite. client is a
-- hash. A lock with an epoch ends with that node.
CREATE TABLE locks (
	seq        BIGINT GENERATED ALWAYS AS IDENTITY,
	token      TEXT NOT NULL PRIMARY KEY,
	root       TEXT COLLATE "C" NOT NULL,
	zero_depth BOOLEAN NOT NULL,
	shared     BOOLEAN NOT NULL,
	owner      BYTEA NOT NULL,
	principal  TEXT COLLATE "C" NOT NULL,
	client     BIGINT,
	duration   BIGINT NOT NULL,
	created    TIMESTAMPTZ NOT NULL,
	expires    TIMESTAMPTZ,
	epoch      TEXT REFERENCES nodes ON DELETE CASCADE
);
CREATE INDEX locks_root ON locks (substr(root, 1, 500));
CREATE INDEX locks_principal ON locks (substr(principal, 1, 500));
CREATE INDEX locks_client ON locks (client) WHERE client IS NOT NULL;
CREATE INDEX locks_expires ON locks (expires) WHERE expires IS NOT NULL;
CREATE INDEX locks_epoch ON locks (epoch) WHERE epoch IS NOT NULL;

-- The temporary files that a node leaves behind if it dies. A note for the new name of a file has
-- the id of the first one as its origin.
CREATE TABLE strays (
	id     TEXT NOT NULL PRIMARY KEY,
	origin TEXT,
	epoch  TEXT NOT NULL,
	root   TEXT NOT NULL,
	name   TEXT NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX strays_origin ON strays (origin) WHERE origin IS NOT NULL;

-- What other nodes need to know about an operation. key is the same for identical requests. names
-- are the names that it claimed. closed is when it ended, by the clock of the database.
ALTER TABLE operations
	ADD COLUMN key      BYTEA,
	ADD COLUMN epoch    TEXT,
	ADD COLUMN node     TEXT NOT NULL DEFAULT '',
	ADD COLUMN names    TEXT[],
	ADD COLUMN kept     BOOLEAN NOT NULL DEFAULT FALSE,
	ADD COLUMN held     BOOLEAN NOT NULL DEFAULT FALSE,
	ADD COLUMN stop     BOOLEAN NOT NULL DEFAULT FALSE,
	ADD COLUMN watched  TIMESTAMPTZ,
	ADD COLUMN reported TIMESTAMPTZ,
	ADD COLUMN closed   TIMESTAMPTZ;
CREATE UNIQUE INDEX operations_running ON operations (key) WHERE ended IS NULL AND key IS NOT NULL;
CREATE INDEX operations_key ON operations (key) WHERE key IS NOT NULL;
CREATE INDEX operations_kept ON operations (closed) WHERE kept;
CREATE INDEX operations_open ON operations (seq) WHERE ended IS NULL;

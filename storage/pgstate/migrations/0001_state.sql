-- +goose Up

-- The history of operations. seq is their order of addition. ended is in microseconds since 1970,
-- or NULL while the operation runs. record and failures are JSON.
CREATE TABLE operations (
	seq       BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
	id        TEXT NOT NULL PRIMARY KEY,
	principal TEXT NOT NULL,
	ended     BIGINT,
	record    BYTEA NOT NULL,
	failures  BYTEA NOT NULL
);

-- Texts from clients can be longer than an index row, which holds at most 2,704 bytes. So indexes
-- have their first 500 characters, and id is a hash of the columns that make a row unique.

-- Dead properties. name ends with a slash. owner is the principal that has set the property.
CREATE TABLE properties (
	name  TEXT COLLATE "C" NOT NULL,
	space TEXT COLLATE "C" NOT NULL,
	local TEXT COLLATE "C" NOT NULL,
	lang  TEXT NOT NULL,
	value BYTEA NOT NULL,
	owner TEXT COLLATE "C" NOT NULL DEFAULT '',
	id    BYTEA GENERATED ALWAYS AS (sha256(
		sha256(decode(replace(name, '\', '\\'), 'escape')) || sha256(decode(replace(space, '\', '\\'), 'escape')) || decode(replace(local, '\', '\\'), 'escape')
	)) STORED PRIMARY KEY
);
CREATE INDEX properties_name ON properties (substr(name, 1, 500));

-- The number of bytes that the properties of each owner take.
CREATE TABLE property_use (
	owner TEXT COLLATE "C" NOT NULL,
	bytes BIGINT NOT NULL,
	id    BYTEA GENERATED ALWAYS AS (sha256(decode(replace(owner, '\', '\\'), 'escape'))) STORED PRIMARY KEY
) WITH (fillfactor = 50);
CREATE INDEX property_use_owner ON property_use (substr(owner, 1, 500));

-- Application passwords. owner is the user. The times are in microseconds since 1970; expires and
-- used may be NULL.
CREATE TABLE tokens (
	owner     TEXT COLLATE "C" NOT NULL,
	name      TEXT COLLATE "C" NOT NULL,
	hash      BYTEA NOT NULL,
	read_only BOOLEAN NOT NULL,
	created   BIGINT NOT NULL,
	expires   BIGINT,
	used      BIGINT,
	id        BYTEA GENERATED ALWAYS AS (sha256(
		sha256(decode(replace(owner, '\', '\\'), 'escape')) || decode(replace(name, '\', '\\'), 'escape')
	)) STORED PRIMARY KEY
);
CREATE INDEX tokens_owner ON tokens (substr(owner, 1, 500));

-- The identity of the storage that a share had when it was last used.
CREATE TABLE shares (
	id       TEXT NOT NULL PRIMARY KEY,
	identity TEXT NOT NULL
);

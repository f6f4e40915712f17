-- +goose Up

-- The names of files whose content is in objects (package storage/objectfs/names). Times are in
-- nanoseconds since 1970.

-- The name spaces. identity is that of the store with the objects. root is the collection with all
-- names, trash the one with detached trees. collector is the epoch of the node that removes objects.
CREATE TABLE volumes (
	id        TEXT NOT NULL PRIMARY KEY,
	identity  TEXT NOT NULL UNIQUE,
	root      BIGINT NOT NULL,
	trash     BIGINT NOT NULL,
	collector TEXT
);

-- The objects. content is that of a small one, whose key begins with "=" and which exists only
-- here. Nothing can refer to an object that is doomed.
CREATE TABLE objects (
	key     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	volume  TEXT NOT NULL,
	size    BIGINT NOT NULL,
	doomed  BOOLEAN NOT NULL DEFAULT FALSE,
	content BYTEA
);
CREATE INDEX objects_doomed ON objects (volume) WHERE doomed;

-- Files and collections. fold is the normal form C of the name, which is NULL if it is the same. A
-- fold has at most 2,000 bytes, so that it fits into an index row. reserved says that the name is one of davd's own.
CREATE SEQUENCE entry_ids;
CREATE TABLE entries (
	id       BIGINT NOT NULL PRIMARY KEY DEFAULT nextval('entry_ids'),
	parent   BIGINT,
	size     BIGINT NOT NULL DEFAULT 0,
	modified BIGINT NOT NULL,
	changed  BIGINT NOT NULL,
	created  BIGINT NOT NULL,
	perm     INTEGER NOT NULL,
	dir      BOOLEAN NOT NULL,
	reserved BOOLEAN NOT NULL,
	fold     TEXT COLLATE "C" NOT NULL,
	name     TEXT COLLATE "C",
	blob     TEXT COLLATE "C" REFERENCES objects,
	sha256   BYTEA,
	UNIQUE (parent, fold)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX entries_blob ON entries (blob) WHERE blob IS NOT NULL;

-- The members of a collection, in pages; all of them, or without those with reserved names. Right after a collection was made, the planner thinks that
-- it is small, and would read and sort all of it for each page.
CREATE FUNCTION members(collection BIGINT, after TEXT, most BIGINT, everything BOOLEAN) RETURNS SETOF entries LANGUAGE sql STABLE
	SET enable_sort = off SET enable_bitmapscan = off
	AS 'SELECT * FROM entries WHERE parent = collection AND fold > after AND (everything OR NOT reserved) ORDER BY fold LIMIT most';

-- The objects that may have lost their last reference, and when.
CREATE TABLE loose (
	key    TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES objects ON DELETE CASCADE,
	volume TEXT NOT NULL,
	since  BIGINT NOT NULL
);
CREATE INDEX loose_since ON loose (volume, since);

-- How many bytes the files of a volume have: the sum of its slots. There are many, so that changes
-- don't wait for each other.
CREATE TABLE volume_use (
	volume TEXT NOT NULL,
	slot   INTEGER NOT NULL,
	bytes  BIGINT NOT NULL,
	PRIMARY KEY (volume, slot)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- The collections whose members still have to be copied, from src to dst, after the name after.
CREATE TABLE copying (
	seq   BIGINT GENERATED ALWAYS AS IDENTITY,
	copy  TEXT NOT NULL,
	epoch TEXT NOT NULL REFERENCES nodes ON DELETE CASCADE,
	src   BIGINT NOT NULL,
	dst   BIGINT NOT NULL,
	after TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (copy, seq)
) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
CREATE INDEX copying_epoch ON copying (epoch);

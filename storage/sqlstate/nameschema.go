package sqlstate

// nameTables make the tables for the names of files whose content is in objects (package
// storage/objectfs/names). Times are in nanoseconds since 1970. pgstate has the same tables.
var nameTables = []string{
	// The epoch of this process is the only row.
	"CREATE TABLE nodes (epoch TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
	// The name spaces. identity is that of the store with the objects. root is the collection with
	// all names, trash the one with detached trees.
	`CREATE TABLE volumes (
		id        TEXT NOT NULL PRIMARY KEY,
		identity  TEXT NOT NULL UNIQUE,
		root      BIGINT NOT NULL,
		trash     BIGINT NOT NULL,
		collector TEXT
	) WITHOUT ROWID`,
	// The objects. content is that of a small one, whose key begins with "=" and which exists
	// only here. Nothing can refer to an object that is doomed.
	`CREATE TABLE objects (
		key     TEXT NOT NULL PRIMARY KEY,
		volume  TEXT NOT NULL,
		size    BIGINT NOT NULL,
		doomed  BOOLEAN NOT NULL DEFAULT FALSE,
		content BLOB
	)`,
	"CREATE INDEX objects_doomed ON objects (volume) WHERE doomed",
	// Files and collections. fold is the normal form C of the name, which is NULL if it is the
	// same. reserved says that the name is one of davd's own.
	`CREATE TABLE entries (
		id       INTEGER PRIMARY KEY AUTOINCREMENT,
		parent   BIGINT,
		size     BIGINT NOT NULL DEFAULT 0,
		modified BIGINT NOT NULL,
		changed  BIGINT NOT NULL,
		created  BIGINT NOT NULL,
		perm     INTEGER NOT NULL,
		dir      BOOLEAN NOT NULL,
		reserved BOOLEAN NOT NULL,
		fold     TEXT NOT NULL,
		name     TEXT,
		blob     TEXT,
		sha256   BLOB,
		UNIQUE (parent, fold)
	)`,
	"CREATE INDEX entries_blob ON entries (blob) WHERE blob IS NOT NULL",
	// The objects that may have lost their last reference, and when.
	`CREATE TABLE loose (
		key    TEXT NOT NULL PRIMARY KEY,
		volume TEXT NOT NULL,
		since  BIGINT NOT NULL
	) WITHOUT ROWID`,
	"CREATE INDEX loose_since ON loose (volume, since)",
	// How many bytes the files of a volume have: the sum of its slots.
	`CREATE TABLE volume_use (
		volume TEXT NOT NULL,
		slot   INTEGER NOT NULL,
		bytes  BIGINT NOT NULL,
		PRIMARY KEY (volume, slot)
	) WITHOUT ROWID`,
	// The collections whose members still have to be copied, from src to dst, after the name after.
	`CREATE TABLE copying (
		seq   INTEGER PRIMARY KEY AUTOINCREMENT,
		copy  TEXT NOT NULL,
		epoch TEXT NOT NULL,
		src   BIGINT NOT NULL,
		dst   BIGINT NOT NULL,
		after TEXT NOT NULL
	)`,
	"CREATE INDEX copying_copy ON copying (copy, seq)",
}

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

package sqlstate

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// inspect reads the whole database and returns an error if something is wrong with it.
// It changes nothing.
func inspect(ctx context.Context, path string, migrations []migration) (err error) {
	logged, err := hasLog(path + "-wal")
	if err != nil {
		return err
	}
	if err := inspectHeader(path, logged); err != nil {
		return err
	}
	access := "immutable=1" // creates no file beside it
	if logged {
		// The log belongs to the content, and to read it SQLite needs an index.
		access = "mode=ro"
		index := path + "-shm"
		if _, err := os.Lstat(index); errors.Is(err, fs.ErrNotExist) {
			defer func() {
				if err != nil {
					_ = os.Remove(index)
				}
			}()
		}
	}
	db, err := sql.Open("sqlite", dataSource(path, access, "_query_only=1"))
	if err != nil {
		return err
	}
	return errors.Join(inspectContent(ctx, db, migrations), db.Close())
}

// inspectHeader checks the first 100 bytes
// (https://sqlite.org/fileformat2.html#the_database_header) and that no page is cut
// off. If there is a log, the file may still be growing.
func inspectHeader(path string, logged bool) error {
	// SQLite would open a file that it can't write read-only, without an error.
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	var header [100]byte
	n, err := io.ReadFull(file, header[:])
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return fmt.Errorf("%w: the file is empty", errDamaged)
	case !bytes.HasPrefix(header[:n], []byte("SQLite format 3\x00")):
		return fmt.Errorf("%w: it is not an SQLite file", errForeign)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it is cut off after %d bytes", errDamaged, n)
	case err != nil:
		return err
	}
	if id := binary.BigEndian.Uint32(header[68:]); id != applicationID {
		return fmt.Errorf("%w: its application id is %d", errForeign, id)
	}
	pageSize := int64(binary.BigEndian.Uint16(header[16:]))
	if pageSize == 1 {
		pageSize = 1 << 16
	}
	if pageSize < 512 || !logged && info.Size()%pageSize != 0 {
		return fmt.Errorf("%w: its %d bytes are not a whole number of pages of %d bytes", errDamaged, info.Size(), pageSize)
	}
	return nil
}

// hasLog reports whether the log holds something. SQLite would ignore a file that does
// not begin like a log, and its content would be lost, so hasLog returns an error for
// it. Zeros are accepted, because a power failure may leave them if nothing was
// committed.
func hasLog(path string) (bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	var magic [4]byte
	if _, err := io.ReadFull(file, magic[:]); errors.Is(err, io.EOF) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("%w: its log %s is cut off: %w", errDamaged, path, err)
	}
	// https://sqlite.org/fileformat2.html#wal_file_format
	if m := binary.BigEndian.Uint32(magic[:]); m != 0 && m&^1 != 0x377f0682 {
		return false, fmt.Errorf("%w: its log %s is not a log", errDamaged, path)
	}
	return true, nil
}

// inspectContent checks the version first, because the tables of a newer davd may look
// wrong to this one.
func inspectContent(ctx context.Context, db *sql.DB, migrations []migration) error {
	found, err := version(ctx, db, migrations)
	if err != nil {
		return err
	}
	if found == 0 {
		return fmt.Errorf("%w: it has no tables", errDamaged)
	}
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		return err
	}
	if result != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, result)
	}
	return nil
}

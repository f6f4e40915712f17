package names

import (
	"fmt"

	"github.com/davd/davd/storage/internal/tables"
)

// dialect has what PostgreSQL and SQLite express in different ways.
type dialect struct {
	// forUpdate locks rows against all changes, keyShare against their removal and against a
	// change of their name, skipLocked against changes unless another transaction has locked them.
	forUpdate, keyShare, skipLocked string
	// freeForUpdate locks those rows that no other transaction has locked.
	freeForUpdate string
	// noKeyUpdate orders transactions by a row.
	noKeyUpdate string
	// reserveID is a statement that makes nextID a new ID; "" if nextID does so itself.
	reserveID, nextID string
	// members are the entries of a collection after a fold, at most so many, in order. Without
	// everything, those with reserved names are left out.
	members func(collection, after, most string, everything bool) string
	// array are the elements of an argument of tables.Array, as a list for IN.
	array func(argument string) string
	// ids is array for numbers.
	ids func(argument string) string
}

func dialectOf(db tables.Base) dialect {
	if db.PostgreSQL() {
		return dialect{
			forUpdate:     " FOR UPDATE",
			keyShare:      " FOR KEY SHARE",
			freeForUpdate: " FOR UPDATE SKIP LOCKED",
			skipLocked:    " FOR NO KEY UPDATE SKIP LOCKED",
			noKeyUpdate:   " FOR NO KEY UPDATE",
			members: func(collection, after, most string, everything bool) string {
				return fmt.Sprintf("members(%s, %s, %s, %t)", collection, after, most, everything)
			},
			nextID: "nextval('entry_ids')",
			array: func(argument string) string {
				return "(SELECT value FROM json_array_elements_text(" + argument + "::JSON))"
			},
			ids: func(argument string) string {
				return "(SELECT value::BIGINT FROM json_array_elements_text(" + argument + "::JSON))"
			},
		}
	}
	elements := func(argument string) string { return "(SELECT value FROM json_each(" + argument + "))" }
	const last = "(SELECT seq FROM sqlite_sequence WHERE name = 'entries')"
	return dialect{
		members: func(collection, after, most string, everything bool) string {
			also := ""
			if !everything {
				also = " AND NOT reserved"
			}
			return "(SELECT * FROM entries WHERE parent = " + collection + " AND fold > " + after + also + " ORDER BY fold LIMIT " + most + ")"
		},
		reserveID: "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'entries'",
		nextID:    last,
		array:     elements,
		ids:       elements,
	}
}

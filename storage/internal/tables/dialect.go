package tables

// Dialect is what the databases express in different ways. Names, and other texts from clients,
// can be longer than an index allows, so the conditions on them are part of it.
type Dialect struct {
	// is is the condition that a column with an index equals the text of an argument.
	is func(column, argument string) string
	// in is the condition that such a column equals one of the texts of an argument of Array.
	in func(column, argument string) string
	// between is the condition that such a column is at least from and less than to, in byte order.
	between func(column, from, to string) string
	// key is what makes a row unique in a table whose key are the given columns.
	key func(columns string) string
	// elements is the function that returns the elements of an argument of Array as rows with
	// the column value, in JSON.
	elements func(argument string) string
}

// SQLite is the dialect of SQLite, whose indexes hold texts of any length.
func SQLite() Dialect {
	elements := func(argument string) string { return "json_each(" + argument + ")" }
	return Dialect{
		is: func(column, argument string) string { return column + " = " + argument },
		in: func(column, argument string) string {
			return column + " IN (SELECT value FROM " + elements(argument) + ")"
		},
		between:  func(column, from, to string) string { return column + " >= " + from + " AND " + column + " < " + to },
		key:      func(columns string) string { return columns },
		elements: elements,
	}
}

// PostgreSQL is the dialect of PostgreSQL. An index row holds at most 2,704 bytes there, so indexes
// are on the first 500 characters of a column with the collation "C", and conditions compare those
// and the whole text. The unique column id is a hash of the key.
func PostgreSQL() Dialect {
	begin := func(text string) string { return "substr(" + text + ", 1, 500)" }
	return Dialect{
		is: func(column, argument string) string {
			argument += "::TEXT"
			return begin(column) + " = " + begin(argument) + " AND " + column + " = " + argument
		},
		in: func(column, argument string) string {
			texts := "json_array_elements_text(" + argument + "::JSON)"
			return begin(column) + " = ANY(ARRAY(SELECT " + begin("value") + " FROM " + texts + ")) AND " +
				column + " = ANY(ARRAY(SELECT value FROM " + texts + "))"
		},
		between: func(column, from, to string) string {
			from, to = from+"::TEXT", to+"::TEXT"
			return begin(column) + " BETWEEN " + begin(from) + " AND " + begin(to) + " AND " + column + " >= " + from + " AND " + column + " < " + to
		},
		key:      func(string) string { return "id" },
		elements: func(argument string) string { return "json_array_elements(" + argument + "::JSON)" },
	}
}

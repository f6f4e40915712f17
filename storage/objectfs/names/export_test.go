package names

import "github.com/davd/davd/storage/internal/tables"

// DatabaseOf returns the database of a space.
func DatabaseOf(s *Space) tables.Base { return s.db }

package state

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
)

// maxBase is the part of a directory's name that its database's has, in bytes.
const maxBase = 64

// databaseName is that of the database of a served directory, which is absolute
// and without symbolic links: its name, for people, and a hash of all of it.
func databaseName(dir string) string {
	hash := sha256.Sum256([]byte(dir))
	return plain(filepath.Base(dir)) + "-" + hex.EncodeToString(hash[:8]) + ".db"
}

// plain leaves of a name what needs no quotes in a shell.
func plain(name string) string {
	name = strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-', c == '.':
			return c
		}
		return '-'
	}, name)
	name = strings.Trim(name[:min(len(name), maxBase)], "-.")
	if name == "" {
		return "share"
	}
	return name
}

package state

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
)

// maxBase is how much of a directory's name its database's name contains, in bytes.
const maxBase = 64

// databaseName returns the file name of the database of a served directory. It consists of
// the directory's name, for people, and a hash of its path. dir must be absolute and without
// symbolic links.
func databaseName(dir string) string {
	hash := sha256.Sum256([]byte(dir))
	return plain(filepath.Base(dir)) + "-" + hex.EncodeToString(hash[:8]) + ".db"
}

// plain replaces characters that need quotes in a shell, and shortens the name.
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

// Package share finds out whether clients of a served directory can reach a file.
package share

import (
	"os"
	"path/filepath"
	"strings"
)

// Holds reports whether clients of the served directory dir can reach path. That is the case
// if dir contains path itself, the target of its symbolic links, or a symbolic link on the
// way, which clients could replace. If path doesn't exist yet, its directory counts.
func Holds(dir, path string) (bool, error) {
	root, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	if !filepath.IsAbs(path) {
		current, err := os.Getwd()
		if err != nil {
			return false, err
		}
		path = current + string(filepath.Separator) + path // not cleaned, because a may be a link and a/.. lead elsewhere
	}
	// above checks the name: path may be in dir below a link that leads out of it.
	return above(root, filepath.Clean(path)) || passes(root, path), nil
}

// above reports whether root is path or one of the directories above it. It compares files
// and not names, which may differ in case or because of a mount.
func above(root os.FileInfo, path string) bool {
	for {
		if info, err := os.Stat(path); err == nil && os.SameFile(root, info) {
			return true
		}
		parent := filepath.Dir(path)
		if parent == path {
			return false
		}
		path = parent
	}
}

// maxLinks is how many symbolic links a path may have, as on Linux.
const maxLinks = 40

// passes follows the symbolic links of an absolute path one by one. It reports whether one
// of the links, or the end of the path, is in root.
func passes(root os.FileInfo, path string) bool {
	volume := filepath.VolumeName(path)
	at := volume + string(filepath.Separator)
	rest := segments(path[len(volume):])
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0]) // right even for "..", because at contains no links
		info, err := os.Lstat(next)
		if err != nil {
			break // the end doesn't exist
		}
		if info.Mode().Type() != os.ModeSymlink {
			at, rest = next, rest[1:]
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks || above(root, at) {
			return above(root, at)
		}
		if filepath.IsAbs(target) {
			volume = filepath.VolumeName(target)
			at, target = volume+string(filepath.Separator), target[len(volume):]
		}
		rest = append(segments(target), rest[1:]...)
	}
	return above(root, at)
}

func segments(path string) []string {
	return strings.FieldsFunc(path, func(c rune) bool { return c == '/' || c == filepath.Separator })
}

// Package share knows what clients can get at in a directory that is served.
package share

import (
	"os"
	"path/filepath"
	"strings"
)

// Holds reports whether clients of a served directory can get at path: by its name,
// by where that leads, or by a symbolic link on the way there, which they could
// replace. A path that doesn't exist yet counts by the directory that it would be in.
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
		path = current + string(filepath.Separator) + path // not cleaned: a/.. may lead elsewhere
	}
	// By its name too: it may be below a link that leads out.
	return above(root, filepath.Clean(path)) || passes(root, path), nil
}

// above compares files, not names: these may differ in case, or by a mount.
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

// passes follows the symbolic links of an absolute path one by one, and reports whether
// one of them is in root, or the end.
func passes(root os.FileInfo, path string) bool {
	volume := filepath.VolumeName(path)
	at := volume + string(filepath.Separator)
	rest := segments(path[len(volume):])
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0]) // of ".." too: at has no links
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

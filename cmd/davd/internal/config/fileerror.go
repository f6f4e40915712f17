package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// Place is a place in a configuration file.
type Place = setting.Place

// FileError is an error in a configuration file.
type FileError struct {
	Place Place
	// Key is the path of the key, such as shares./photos.symlinks. It is empty for an error of
	// the whole file.
	Key string
	Err error
}

// Error returns one line.
func (p *FileError) Error() string {
	text := p.Place.String() + ": "
	if p.Key != "" {
		text += shortened(p.Key) + ": "
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '?'
		}
		return c
	}, text+p.Err.Error())
}

// shortened returns the beginning of a key that is too long for a line.
func shortened(key string) string {
	if runes := []rune(key); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return key
}

// Unwrap returns Err.
func (p *FileError) Unwrap() error { return p.Err }

// maxProblems is how many problems are shown.
const maxProblems = 20

// FileErrors are all errors of a configuration, sorted by their place. There is at least one.
type FileErrors []*FileError

// Error returns one line for each problem, but not more than 21 lines.
func (p FileErrors) Error() string {
	lines := make([]string, 0, maxProblems+1)
	for i, problem := range p {
		if i == maxProblems {
			lines = append(lines, fmt.Sprintf("%s: and %d more", problem.Place.File, len(p)-i))
			break
		}
		lines = append(lines, problem.Error())
	}
	return strings.Join(lines, "\n")
}

// sorted sorts the problems by their place, and keeps the order of files. It returns nil for no
// problems.
func (p FileErrors) sorted() error {
	if len(p) == 0 {
		return nil
	}
	files := make(map[string]int)
	for _, problem := range p {
		if _, known := files[problem.Place.File]; !known {
			files[problem.Place.File] = len(files)
		}
	}
	slices.SortStableFunc(p, func(a, b *FileError) int {
		return cmp.Or(
			cmp.Compare(files[a.Place.File], files[b.Place.File]),
			cmp.Compare(a.Place.Line, b.Place.Line),
			cmp.Compare(a.Place.Column, b.Place.Column),
		)
	})
	return p
}

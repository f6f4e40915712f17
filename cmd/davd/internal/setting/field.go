package setting

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Field is a field of a configuration, with the check of its texts.
type Field struct {
	isSwitch, isList bool
	// whole says that an element of a list may contain commas.
	whole bool
	// read gets the texts that aren't empty: at most one, except for a list. It returns the
	// index of the wrong one with an error.
	read func(texts []string) (wrong int, err error)
	// relative returns the path in a text of a configuration file, which is relative to the
	// directory of that file. It is nil if a text is no path.
	relative func(dir, text string) string
	// words are all texts, if there are only a few.
	words []string
}

// Value is a field with a value that parse returns. It is zero if the setting has no text.
func Value[T any](to *T, parse func(string) (T, error)) Field {
	return Field{read: func(texts []string) (int, error) {
		var value T
		var err error
		if len(texts) > 0 {
			value, err = parse(texts[0])
		}
		*to = value
		return 0, err
	}}
}

// List is a field with several values. The operator separates them by commas, or repeats the
// flag.
func List[S ~[]T, T any](to *S, parse func(string) (T, error)) Field {
	return Field{isList: true, read: func(texts []string) (int, error) {
		*to = nil
		for i, text := range texts {
			value, err := parse(text)
			if err != nil {
				return i, err
			}
			*to = append(*to, value)
		}
		return 0, nil
	}}
}

// File is a field with the path of a file or directory.
func File(to *string) Field { return Value(to, Text).Relative(Join) }

// Files is a field with several paths. The operator repeats the flag: a path may contain commas.
func Files(to *[]string) Field {
	field := List(to, Text).Relative(Join)
	field.whole = true
	return field
}

// Relative returns a field whose texts in a configuration file may contain paths relative to
// the directory of that file. resolve returns the text with dir in front of such a path.
func (f Field) Relative(resolve func(dir, text string) string) Field {
	f.relative = resolve
	return f
}

// Join returns path, with dir in front if it is relative.
func Join(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// Text accepts any text. It is the parse function of a field without a check.
func Text(s string) (string, error) { return s, nil }

// Switch is a field that is off by default.
func Switch(to *bool) Field {
	field := Value(to, func(s string) (bool, error) {
		on, err := strconv.ParseBool(s)
		if err != nil {
			return false, fmt.Errorf("%q is neither true nor false: write one of these", s)
		}
		return on, nil
	})
	field.isSwitch = true
	return field
}

// Word is a field with one of a few values. The operator writes their names in lower case.
func Word[T any](to *T, values ...T) Field {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = strings.ToLower(fmt.Sprint(v))
	}
	field := Value(to, func(s string) (value T, err error) {
		if i := slices.Index(names, s); i >= 0 {
			return values[i], nil
		}
		last := len(names) - 1
		return value, fmt.Errorf("unknown value %q: write %s or %s", s, strings.Join(names[:last], ", "), names[last])
	})
	field.words = names
	return field
}

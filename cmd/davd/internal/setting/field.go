package setting

import (
	"fmt"
	"strconv"
	"strings"
)

// Field is a field of a configuration, with the check of its texts.
type Field struct {
	isSwitch, isList bool
	// read gets the texts that aren't empty: at most one, except for a list.
	read func(texts []string) error
}

// Value is a field with a value that parse returns. It is zero if the setting has no text.
func Value[T any](to *T, parse func(string) (T, error)) Field {
	return Field{read: func(texts []string) error {
		var value T
		var err error
		if len(texts) > 0 {
			value, err = parse(texts[0])
		}
		*to = value
		return err
	}}
}

// List is a field with several values. The operator separates them by commas, or repeats the
// flag.
func List[S ~[]T, T any](to *S, parse func(string) (T, error)) Field {
	return Field{isList: true, read: func(texts []string) error {
		*to = nil
		for _, text := range texts {
			value, err := parse(text)
			if err != nil {
				return err
			}
			*to = append(*to, value)
		}
		return nil
	}}
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
	return Value(to, func(s string) (value T, err error) {
		names := make([]string, len(values))
		for i, v := range values {
			if names[i] = strings.ToLower(fmt.Sprint(v)); names[i] == s {
				return v, nil
			}
		}
		last := len(names) - 1
		return value, fmt.Errorf("unknown value %q: write %s or %s", s, strings.Join(names[:last], ", "), names[last])
	})
}

// Package setting defines the settings of the program. A definition says all about a setting:
// its name, default, help and check, and the field that gets its value. The flag, the
// environment variable, the help and the error messages follow from it.
package setting

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Setting is the definition of one setting, and the text that the operator wrote for it.
// It is a flag.Value.
type Setting struct {
	// Name is the name of its flag, without dashes. Short is another one, of one letter.
	Name, Short string
	// Takes is what the help calls the value. It is empty for a switch.
	Takes string
	// Default is used if the operator writes nothing, or an empty text.
	Default string
	// Help says what the setting is for. The default is added to it.
	Help string
	// Title is the title of the group of settings that the help shows it in.
	Title string
	// FlagOnly says that no environment variable sets it.
	FlagOnly bool
	// Into is the field that gets the value.
	Into Field

	origin string
	texts  []string
}

// New returns a setting that an environment variable can set as well. takes is empty for a switch.
func New(name, takes, fallback string, into Field, help string) *Setting {
	return &Setting{Name: name, Takes: takes, Default: fallback, Into: into, Help: help}
}

// Group gives the settings a title, and returns them.
func Group(title string, settings ...*Setting) []*Setting {
	for _, s := range settings {
		s.Title = title
	}
	return settings
}

// Read calls Read for each setting. It returns the first error.
func Read(settings []*Setting) error {
	for _, s := range settings {
		if err := s.Read(); err != nil {
			return err
		}
	}
	return nil
}

// Error is the error of an invalid setting.
type Error struct {
	// Name is the name of the setting.
	Name string
	// Origin is where the operator wrote it: "--" and the name, or the environment variable.
	Origin string
	// Err says what is wrong and what to do.
	Err error
}

func (e *Error) Error() string { return e.Origin + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Wrong returns an Error with err, or nil if err is nil.
func (s *Setting) Wrong(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Name: s.Name, Origin: cmp.Or(s.origin, "--"+s.Name), Err: err}
}

// EnvVar returns the name of the environment variable, or "" if there is none.
func (s *Setting) EnvVar() string {
	if s.FlagOnly {
		return ""
	}
	return "DAVD_" + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// Set notes the text of a flag. It implements flag.Value. The text is checked by Read, except
// that of a switch: package flag has its own error for that.
func (s *Setting) Set(text string) error {
	s.note("--"+s.Name, text)
	if _, err := strconv.ParseBool(text); s.Into.isSwitch && err != nil {
		return errors.New("not a boolean")
	}
	return nil
}

// note records text and its origin. It replaces what was noted before, but adds to a list
// from the same origin.
func (s *Setting) note(origin, text string) {
	if !s.Into.isList || origin != s.origin {
		s.texts = nil
	}
	s.origin, s.texts = origin, append(s.texts, text)
}

// ReadEnv notes the text of the environment variable if the flag was not given.
func (s *Setting) ReadEnv() {
	if text := os.Getenv(s.EnvVar()); text != "" && s.origin == "" {
		s.note(s.EnvVar(), text)
	}
}

// Read checks the text and puts its value into the field. An error is an [Error].
func (s *Setting) Read() error {
	texts := s.elements(s.texts...)
	if len(texts) == 0 {
		texts = s.elements(s.Default)
	}
	return s.Wrong(s.Into.read(texts))
}

// elements returns the texts that are not empty, and for a list the elements of each.
func (s *Setting) elements(texts ...string) []string {
	var elements []string
	for _, text := range texts {
		if !s.Into.isList {
			elements = append(elements, text)
			continue
		}
		for element := range strings.SplitSeq(text, ",") {
			elements = append(elements, strings.TrimSpace(element))
		}
	}
	return slices.DeleteFunc(elements, func(element string) bool { return element == "" })
}

// String returns the text that the operator wrote. It implements flag.Value.
func (s *Setting) String() string { return strings.Join(s.texts, ",") }

// IsBoolFlag reports whether the flag may stand without a value. Package flag calls it.
func (s *Setting) IsBoolFlag() bool { return s.Into.isSwitch }

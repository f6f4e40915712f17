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

	// Restart says that a change needs a restart of the program.
	Restart bool

	flag, variable, file given
}

// given is what the operator wrote in one place.
type given struct {
	origin Origin
	texts  []string
	// origins are those of each text of a list in a file.
	origins []Origin
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

// ReadAll calls Read for each setting. It returns all errors.
func ReadAll(settings []*Setting) []error {
	var wrong []error
	for _, s := range settings {
		if err := s.Read(); err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

// Error is the error of an invalid setting.
type Error struct {
	// Name is the name of the setting.
	Name string
	// Origin is where the operator wrote it. That is the flag if the operator wrote nothing.
	Origin Origin
	// Err says what is wrong and what to do.
	Err error
}

func (e *Error) Error() string { return e.Origin.String() + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Wrong returns an Error with err, or nil if err is nil.
func (s *Setting) Wrong(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Name: s.Name, Origin: cmp.Or(s.Origin(), Origin{Name: "--" + s.Name}), Err: err}
}

// Origin returns where the operator wrote the text that counts.
func (s *Setting) Origin() Origin { return s.given().origin }

// given returns what counts: a flag more than the environment variable, and that more than a
// file.
func (s *Setting) given() given {
	for _, g := range []given{s.flag, s.variable, s.file} {
		if !g.origin.IsDefault() {
			return g
		}
	}
	return given{}
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
	if !s.Into.isList || s.flag.origin.IsDefault() {
		s.flag = given{origin: Origin{Name: "--" + s.Name}}
	}
	s.flag.texts = append(s.flag.texts, text)
	if _, err := strconv.ParseBool(text); s.Into.isSwitch && err != nil {
		return errors.New("not a boolean")
	}
	return nil
}

// ReadEnv notes the text of the environment variable.
func (s *Setting) ReadEnv() {
	s.variable = given{}
	if text := os.Getenv(s.EnvVar()); text != "" {
		s.variable = given{origin: Origin{Name: s.EnvVar()}, texts: []string{text}}
	}
}

// Written is a text in a configuration file, and where it is.
type Written struct {
	Text  string
	Place Place
}

// SetFile notes the texts of a key in a configuration file in the directory dir. A list has one
// text for each element.
func (s *Setting) SetFile(dir string, origin Origin, texts ...Written) {
	s.file = given{origin: origin}
	for _, text := range texts {
		if s.Into.relative != nil {
			text.Text = s.Into.relative(dir, text.Text)
		}
		s.file.texts = append(s.file.texts, text.Text)
		s.file.origins = append(s.file.origins, Origin{Name: origin.Name, Place: text.Place})
	}
}

// CopyCommandLine notes the texts of the flag and of the environment variable that other has.
func (s *Setting) CopyCommandLine(other *Setting) { s.flag, s.variable = other.flag, other.variable }

// Restore notes what other has, from the command line, the environment and a file.
func (s *Setting) Restore(other *Setting) {
	s.flag, s.variable, s.file = other.flag, other.variable, other.file
}

// Read checks the text and puts its value into the field. An error is an [Error].
func (s *Setting) Read() error {
	texts, origins := s.effective()
	wrong, err := s.Into.read(texts)
	if err == nil {
		return nil
	}
	return &Error{Name: s.Name, Origin: cmp.Or(origins[wrong], Origin{Name: "--" + s.Name}), Err: err}
}

// Effective returns the texts that count: those that the operator wrote, or the default.
func (s *Setting) Effective() []string {
	texts, _ := s.effective()
	return texts
}

// effective returns the texts that count, and where each one is. An empty text counts as none.
func (s *Setting) effective() (texts []string, origins []Origin) {
	g := s.given()
	for i, text := range g.texts {
		origin := g.origin
		if g.origins != nil {
			origin = g.origins[i]
		}
		for _, element := range s.elements(text) {
			texts, origins = append(texts, element), append(origins, origin)
		}
	}
	if len(texts) == 0 {
		texts = s.elements(s.Default)
		origins = make([]Origin, len(texts)+1)
	}
	return texts, origins
}

// elements returns the text unless it is empty, and for a list its elements.
func (s *Setting) elements(text string) []string {
	elements := []string{text}
	if s.Into.isList && !s.Into.whole {
		elements = strings.Split(text, ",")
		for i := range elements {
			elements[i] = strings.TrimSpace(elements[i])
		}
	}
	return slices.DeleteFunc(elements, func(element string) bool { return element == "" })
}

// String returns the text that the operator wrote. It implements flag.Value.
func (s *Setting) String() string { return strings.Join(s.given().texts, ",") }

// IsBoolFlag reports whether the flag may stand without a value. Package flag calls it.
func (s *Setting) IsBoolFlag() bool { return s.Into.isSwitch }

// Words returns the values that the setting can have, or nil if there are many.
func (s *Setting) Words() []string { return s.Into.words }

// IsList reports whether the setting has several values.
func (s *Setting) IsList() bool { return s.Into.isList }

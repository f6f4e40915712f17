package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// Entry is an effective setting, for the operator.
type Entry struct {
	// Key is the path of the key, such as shares, /photos, dir.
	Key []string
	// Values are the texts: several for a list, none for a setting without a value.
	Values []string
	IsList bool
	// Secret says that Values must not be shown.
	Secret bool
	// Origin is where the operator wrote it. It is zero for a default.
	Origin setting.Origin
	// Restart says that a change needs a restart.
	Restart bool
}

// Name returns the path of the key as error messages have it.
func (e *Entry) Name() string { return strings.Join(e.Key, ".") }

// From returns the origin in a few letters: a flag, a variable, a line of a file, or default.
func (e *Entry) From() string {
	switch {
	case e.Origin.IsDefault():
		return "default"
	case e.Origin.InFile():
		return fmt.Sprintf("%s:%d", filepath.Base(e.Origin.Place.File), e.Origin.Place.Line)
	}
	return e.Origin.Name
}

// Entries returns the effective settings, those at the top first. Of a section, it returns the
// keys that the operator has written, ids and rights.
func (c *Config) Entries() []Entry {
	var entries []Entry
	for _, s := range c.fileSettings() {
		entries = append(entries, entryOf(s))
	}
	for _, s := range c.Shares {
		entries = append(entries, s.entries()...)
	}
	for _, u := range c.Users {
		entries = append(entries, u.entries()...)
	}
	for _, g := range c.Groups {
		entries = append(entries, Entry{
			Key: []string{"groups", g.Name}, Values: g.Members, IsList: true, Origin: inFile(g.Place, "groups", g.Name),
		})
	}
	if c.home != nil && !c.home.Origin().IsDefault() {
		entries = append(entries, entryOf(c.home))
	}
	if c.LDAP != nil {
		entries = append(entries, entriesOf(c.LDAP.keys, "ldap")...)
	}
	if c.UserHeader != nil {
		entries = append(entries, entriesOf(c.UserHeader.keys, "user-header")...)
	}
	return entries
}

func inFile(place Place, key ...string) setting.Origin {
	return setting.Origin{Name: strings.Join(key, "."), Place: place}
}

func entryOf(s *setting.Setting, above ...string) Entry {
	values := s.Effective()
	if s.IsBoolFlag() && len(values) == 0 {
		values = []string{"false"}
	}
	if s.Name == "state" && len(values) == 1 && len(above) == 0 {
		values = []string{shownState(values[0])}
	}
	return Entry{
		Key: append(slices.Clone(above), s.Name), Values: values, IsList: s.IsList(), Origin: s.Origin(), Restart: s.Restart,
		Secret: s.Name == "password" || s.Name == "bind-password",
	}
}

// entriesOf returns the entries of the keys that the operator has written.
func entriesOf(keys []key, above ...string) []Entry {
	var entries []Entry
	for _, k := range keys {
		if k.read == nil && !k.Origin().IsDefault() {
			entries = append(entries, entryOf(k.Setting, above...))
		}
	}
	return entries
}

func (s *Share) entries() []Entry {
	var entries []Entry
	if !given(s.keys, "id") {
		entries = append(entries, Entry{Key: []string{"shares", s.Name, "id"}, Values: []string{s.ID}})
	}
	entries = append(entries, entriesOf(s.keys, "shares", s.Name)...)
	for _, rule := range s.Rules {
		key := []string{"shares", s.Name, "rights", rule.subject}
		if rule.Path != "" {
			key = []string{"shares", s.Name, "paths", rule.Path, rule.subject}
		}
		e := Entry{Key: key, Values: strings.Split(rule.Rights.String(), ",")}
		if rule.Place.File != "" {
			e.Origin = inFile(rule.Place, key...)
		}
		entries = append(entries, e)
	}
	return entries
}

func (u *User) entries() []Entry {
	entries := entriesOf(u.keys, "users", u.Name)
	for _, at := range slices.Sorted(maps.Keys(u.Views)) {
		key := []string{"users", u.Name, "shares", at}
		entries = append(entries, Entry{Key: key, Values: []string{u.Views[at]}, Origin: find(u.keys, "shares").Origin()})
	}
	if entries == nil {
		entries = []Entry{{Key: []string{"users", u.Name}, Origin: inFile(u.Place, "users", u.Name)}}
	}
	return entries
}

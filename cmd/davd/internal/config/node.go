package config

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

// value is a value in a configuration file.
type value struct {
	node *yaml.Node
	// file is the name of the file, and dir its directory.
	file, dir string
	// key is the path of the key, such as shares./photos.dir.
	key string
}

// entry is a key of a map, with its value.
type entry struct {
	name string
	// at is the place of the name.
	at Place
	value
}

func (v value) place() Place {
	return Place{File: v.file, Line: v.node.Line, Column: v.node.Column}
}

// of returns the value of a key or an element in v.
func (v value) of(key string, node *yaml.Node) value {
	if v.key != "" {
		key = v.key + "." + key
	}
	return value{node: node, file: v.file, dir: v.dir, key: key}
}

func (v value) isNull() bool { return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!null" }

// reader notes the problems of a configuration.
type reader struct {
	problems FileErrors
	warnings []string
}

// wrong notes a problem of a value.
func (r *reader) wrong(v value, format string, args ...any) {
	r.note(v.place(), v.key, fmt.Errorf(format, args...))
}

func (r *reader) note(at Place, key string, err error) {
	r.problems = append(r.problems, &FileError{Place: at, Key: key, Err: err})
}

func (r *reader) warn(at Place, format string, args ...any) {
	r.warnings = append(r.warnings, at.String()+": "+fmt.Sprintf(format, args...))
}

// entries returns the entries of a map. It notes a problem for anything else, and for a key that
// it finds twice. A key without a value is an empty map.
func (r *reader) entries(v value) []entry {
	if v.isNull() {
		return nil
	}
	if !r.plain(v) {
		return nil
	}
	if v.node.Kind != yaml.MappingNode {
		r.wrong(v, "it must be a map: write KEY: VALUE lines, indented")
		return nil
	}
	entries := make([]entry, 0, len(v.node.Content)/2)
	first := make(map[string]Place)
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := v.node.Content[i]
		at := Place{File: v.file, Line: key.Line, Column: key.Column}
		if key.Kind != yaml.ScalarNode {
			r.note(at, v.key, errors.New("a key must be a text; put braces in quotes"))
			continue
		}
		if key.ShortTag() == "!!merge" {
			r.note(at, v.key, errors.New("merge keys (<<) are not supported: write the keys out"))
			continue
		}
		e := entry{name: key.Value, at: at, value: v.of(key.Value, v.node.Content[i+1])}
		if other, twice := first[e.name]; twice {
			r.note(at, e.key, fmt.Errorf("it is already in line %d: remove one of the two", other.Line))
			continue
		}
		first[e.name] = at
		entries = append(entries, e)
	}
	return entries
}

// plain reports whether the value is neither an alias nor has a tag of its own. Otherwise, it
// notes a problem.
func (r *reader) plain(v value) bool {
	switch {
	case v.node.Kind == yaml.AliasNode:
		r.wrong(v, "aliases (*%s) are not supported: write the value out", v.node.Value)
		return false
	case v.node.Style&yaml.TaggedStyle != 0:
		r.wrong(v, "tags (%s) are not supported: leave it out", v.node.Tag)
		return false
	}
	return true
}

// text returns a text or number as it is written. ok is false if it is something else, or
// nothing.
func (r *reader) text(v value) (text string, ok bool) {
	switch {
	case v.isNull() || !r.plain(v):
		return "", false
	case v.node.Kind != yaml.ScalarNode:
		r.wrong(v, "it must be one value, and not a list or map")
		return "", false
	case strings.ContainsRune(v.node.Value, 0):
		r.wrong(v, "it contains a NUL character")
		return "", false
	}
	return v.node.Value, true
}

// list returns the texts of a list, or one text.
func (r *reader) list(v value) []value {
	if v.node.Kind == yaml.MappingNode {
		r.wrong(v, "it must be one value or a list, and not a map")
		return nil
	}
	if v.node.Kind != yaml.SequenceNode {
		if _, ok := r.text(v); !ok {
			return nil
		}
		return []value{v}
	}
	if !r.plain(v) {
		return nil
	}
	var texts []value
	for _, node := range v.node.Content {
		element := v
		element.node = node
		if element.isNull() {
			r.wrong(element, "an element of a list is empty: remove it")
			continue
		}
		if _, ok := r.text(element); ok {
			texts = append(texts, element)
		}
	}
	return texts
}

// set gives the value to a setting.
func (r *reader) set(s *setting.Setting, v value) {
	var texts []setting.Written
	values := []value{v}
	if s.IsList() {
		values = r.list(v)
	}
	for _, each := range values {
		if text, ok := r.text(each); ok {
			texts = append(texts, setting.Written{Text: text, Place: each.place()})
		}
	}
	if len(texts) > 0 || v.node.Kind == yaml.SequenceNode {
		s.SetFile(v.dir, setting.Origin{Name: v.key, Place: v.place()}, texts...)
	}
}

// key is a key of a section: a setting, or read gets the value.
type key struct {
	*setting.Setting
	read func(value)
}

func names(keys []key) []string {
	var all []string
	for _, k := range keys {
		all = append(all, k.Name)
	}
	return all
}

func find(keys []key, name string) *key {
	for i := range keys {
		if keys[i].Name == name {
			return &keys[i]
		}
	}
	return nil
}

// section reads a map with these keys.
func (r *reader) section(v value, keys []key) {
	r.keys(r.entries(v), keys)
}

// keys reads the entries of a map with these keys, and reads the settings among them.
func (r *reader) keys(entries []entry, keys []key) {
	for _, e := range entries {
		switch k := find(keys, e.name); {
		case k == nil:
			r.note(e.at, e.key, errors.New("unknown key"+setting.DidYouMean(e.name, names(keys))))
		case k.read != nil:
			k.SetFile(e.dir, setting.Origin{Name: e.key, Place: e.place()})
			k.read(e.value)
		default:
			r.set(k.Setting, e.value)
		}
	}
	for _, k := range keys {
		if k.read == nil {
			r.setting(k.Setting)
		}
	}
}

// setting reads a setting of a section.
func (r *reader) setting(s *setting.Setting) {
	if err := s.Read(); err != nil {
		r.error(err)
	}
}

// error notes the error of a setting from a file.
func (r *reader) error(err error) {
	wrong, ok := errors.AsType[*setting.Error](err)
	if !ok {
		r.note(Place{}, "", err)
		return
	}
	r.note(wrong.Origin.Place, wrong.Origin.Name, wrong.Err)
}

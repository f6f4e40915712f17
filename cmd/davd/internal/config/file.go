package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/davd/davd/cmd/davd/internal/setting"
)

const (
	// maxFile is the size of the largest configuration file, in bytes.
	maxFile = 1 << 20
	// maxPasswords is the size of the largest htpasswd file, as in package auth.
	maxPasswords = 16 << 20
	// maxIncluded is how many files may be included.
	maxIncluded = 1000
)

// file is what a configuration file says, together with those that it includes.
type file struct {
	reader
	// settings are the settings of the command, which stand at the top of a file.
	settings []*setting.Setting
	// sections says that a file may have shares, users and rights.
	sections bool
	// others are the settings of the command who, which reads another kind of file. They are nil
	// until they are needed.
	others []*setting.Setting
	who    string
	// first has the place of each key at the top, and of each share, user and group.
	first map[string]Place
	// files are the names of all files that were read.
	files []string
	// secrets says that the current file contains secrets.
	secrets bool

	shares  []*Share
	users   []*User
	groups  []*Group
	home    *setting.Setting
	ldap    *LDAP
	header  *UserHeader
	pending []pendingRule
	members []value
}

// content is the content of a file.
type content struct {
	data []byte
	// readable says that every user of the machine can read it.
	readable bool
}

// readFile reads a regular file of at most the size most, in bytes.
func readFile(name string, most int64) (content, error) {
	info, err := os.Stat(name)
	if err != nil {
		return content{}, fileError(name, err)
	}
	if !info.Mode().IsRegular() {
		return content{}, fmt.Errorf("%s: is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return content{}, fileError(name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return content{}, fileError(name, err)
	}
	if int64(len(data)) > most {
		return content{}, fmt.Errorf("%s: is larger than %d MiB", name, most>>20)
	}
	return content{data, runtime.GOOS != "windows" && info.Mode()&0o004 != 0}, nil
}

// fileError returns an error that says what to do.
func fileError(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file", name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: davd lacks permission to read it: grant that, or name another file", name)
	}
	if wrapped, ok := errors.AsType[*fs.PathError](err); ok {
		err = wrapped.Err
	}
	return fmt.Errorf("%s: can't be read: %w", name, err)
}

// parse reads a configuration file, and those that it includes.
func (f *file) parse(name string) error {
	c, err := readFile(name, maxFile)
	if err != nil {
		return err
	}
	f.document(name, c, true)
	return nil
}

// document reads the content of a file. Only the main file includes others.
func (f *file) document(name string, c content, main bool) {
	f.files = append(f.files, name)
	f.secrets = false
	root, ok := f.root(name, c.data)
	if !ok {
		return
	}
	var include *entry
	for _, e := range f.entries(root) {
		if e.name == "include" && main {
			include = &e
			continue
		}
		f.top(e)
	}
	if f.secrets && c.readable {
		f.warnings = append(f.warnings, name+": every user of this machine can read the secrets in this file: change its permissions to 600 or 640")
	}
	if include != nil {
		f.include(include.value)
	}
}

// root returns the only document in data. ok is false if that is empty or not valid.
func (f *file) root(name string, data []byte) (root value, ok bool) {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		f.note(Place{File: name}, "", err)
		return value{}, false
	}
	var first, second yaml.Node
	err = loader.Load(&first)
	if errors.Is(err, io.EOF) {
		return value{}, false
	}
	if err == nil {
		if err = loader.Load(&second); err == nil {
			f.note(Place{File: name, Line: second.Line, Column: second.Column}, "", errors.New("a second document begins here: remove the line ---"))
			return value{}, false
		}
	}
	if !errors.Is(err, io.EOF) {
		at := Place{File: name}
		if wrong, ok := errors.AsType[*yaml.LoadError](err); ok {
			at.Line, at.Column = wrong.Mark.Line, wrong.Mark.Column
			err = errors.New(wrong.Message)
		}
		f.note(at, "", fmt.Errorf("not valid YAML: %w", err))
		return value{}, false
	}
	if len(first.Content) == 0 {
		return value{}, false
	}
	return value{node: first.Content[0], file: name, dir: filepath.Dir(name)}, true
}

// include reads the files that match the patterns of include.
func (f *file) include(v value) {
	seen := map[string]bool{v.file: true}
	for _, pattern := range f.list(v) {
		matches, err := filepath.Glob(setting.Join(v.dir, pattern.node.Value))
		if err != nil {
			f.wrong(pattern, "%q is not a pattern: write conf.d/*.yaml, for example", pattern.node.Value)
			continue
		}
		if len(matches) == 0 && !strings.ContainsAny(pattern.node.Value, "*?[") {
			f.wrong(pattern, "%s: no such file", setting.Join(v.dir, pattern.node.Value))
		}
		hidden := strings.HasPrefix(filepath.Base(pattern.node.Value), ".")
		slices.Sort(matches)
		for _, match := range matches {
			if seen[match] || !hidden && strings.HasPrefix(filepath.Base(match), ".") {
				continue // itself, or a temporary file of an editor
			}
			seen[match] = true
			if len(seen) > maxIncluded+1 {
				f.wrong(pattern, "more than %d files are included", maxIncluded)
				return
			}
			c, err := readFile(match, maxFile)
			if err != nil {
				f.wrong(pattern, "%w", err)
				continue
			}
			f.document(match, c, false)
		}
	}
}

// top reads an entry at the top of a file.
func (f *file) top(e entry) {
	sections := map[string]func(entry){"ldap": f.ldapSection, "user-header": f.userHeader}
	lists := map[string]func(entry){"shares": f.share, "users": f.user, "groups": f.group}
	switch s := f.find(e.name); {
	case f.sections && lists[e.name] != nil:
		for _, each := range f.entries(e.value) {
			if f.once(each) {
				lists[e.name](each)
			}
		}
	case f.sections && sections[e.name] != nil:
		if f.once(e) {
			sections[e.name](e)
		}
	case f.sections && e.name == f.home.Name:
		if f.once(e) {
			f.set(f.home, e.value)
			f.setting(f.home)
		}
	case e.name == "include":
		f.note(e.at, e.key, errors.New("only the first file can include others"))
	case s == nil:
		f.note(e.at, e.key, f.unknown(e.name))
	case f.once(e):
		f.set(s, e.value)
	}
}

// unknown returns the error for a key that can't be at the top.
func (f *file) unknown(name string) error {
	if f.others == nil {
		f.others, f.who = NewProxy().settings, "davd proxy"
		if !f.sections {
			f.others, f.who = New(nil).settings, "davd serve"
		}
	}
	switch {
	case name == "config":
		return errors.New("it is only a flag")
	case slices.ContainsFunc(f.others, func(s *setting.Setting) bool { return s.Name == name }),
		slices.Contains([]string{"shares", "users", "groups", "home", "ldap", "user-header"}, name):
		return fmt.Errorf("only %s has this key: put it into another file", f.who)
	}
	return errors.New("unknown key" + setting.DidYouMean(name, f.topKeys()))
}

// find returns the setting with this name, or nil.
func (f *file) find(name string) *setting.Setting {
	i := slices.IndexFunc(f.settings, func(s *setting.Setting) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return f.settings[i]
}

// topKeys returns the keys at the top.
func (f *file) topKeys() []string {
	all := []string{"include"}
	if f.sections {
		all = append(all, "shares", "users", "groups", "home", "ldap", "user-header")
	}
	for _, s := range f.settings {
		all = append(all, s.Name)
	}
	return all
}

// once notes a problem if another file has the same key.
func (f *file) once(e entry) bool {
	other, twice := f.first[e.key]
	if twice {
		f.note(e.at, e.key, fmt.Errorf("it is already in %s: remove one of the two", other))
		return false
	}
	f.first[e.key] = e.at
	return true
}

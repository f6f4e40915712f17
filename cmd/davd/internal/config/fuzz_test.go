package config

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// FuzzFile checks that no content of a file makes davd panic, that every problem has one line,
// and that the entries of a valid file, written as a file, mean the same.
func FuzzFile(f *testing.F) {
	names, err := filepath.Glob("../../testdata/config/*.yaml")
	if err != nil || len(names) == 0 {
		f.Fatal("no examples", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Chdir("../../testdata/config") // the examples name directories there
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parsed(data)
		if problems, ok := errors.AsType[FileErrors](err); ok {
			for _, p := range problems {
				if strings.ContainsAny(p.Error(), "\n\r") {
					t.Errorf("more than one line: %q", p)
				}
			}
		}
		if err != nil {
			return
		}
		text := asFile(t, c)
		again, err := parsed(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if changes := Diff(c, again); len(changes.Applied)+len(changes.Restart) > 0 {
			t.Fatalf("%v differs in\n%s", changes, text)
		}
		for i, s := range c.Shares {
			if other := again.Shares[i]; !reflect.DeepEqual(bare(s), bare(other)) {
				t.Fatalf("got %+v, want %+v", bare(other), bare(s))
			}
		}
	})
}

// parsed returns the Config of a file with this content, which includes no other files.
func parsed(data []byte) (*Config, error) {
	c := New(nil)
	c.File = "davd.yaml"
	f := c.newFile()
	f.document(c.File, content{data: data}, false)
	return c, c.take(f, nil)
}

// bare returns the share without places.
func bare(s *Share) Share {
	plain := *s
	plain.keys, plain.Place, plain.Rules = nil, Place{}, nil
	for _, rule := range s.Rules {
		rule.Place = Place{}
		plain.Rules = append(plain.Rules, rule)
	}
	slices.SortFunc(plain.Rules, func(a, b Rule) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.subject, b.subject)) })
	return plain
}

// asFile returns the entries of c as a file.
func asFile(t *testing.T, c *Config) []byte {
	root := make(map[string]any)
	for _, e := range c.Entries() {
		at := root
		for _, key := range e.Key[:len(e.Key)-1] {
			below, ok := at[key].(map[string]any)
			if !ok {
				below = make(map[string]any)
				at[key] = below
			}
			at = below
		}
		last := e.Key[len(e.Key)-1]
		switch {
		case e.IsList || len(e.Values) > 1:
			at[last] = append([]string{}, e.Values...)
		case len(e.Values) == 1:
			at[last] = e.Values[0]
		default:
			at[last] = nil
		}
	}
	text, err := yaml.Dump(root)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(text)
}

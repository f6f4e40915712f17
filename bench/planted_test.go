package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestRoomFor(t *testing.T) {
	tests := []struct {
		name  string
		reads []string
		want  room
	}{
		{"little", []string{manyName, bigName}, baseRoom},
		{"a huge file", []string{hugeName, manyName}, room{baseRoom.bytes + hugeSize, baseRoom.inodes}},
		{"a million", []string{millionName}, room{baseRoom.bytes + 512*mib, baseRoom.inodes + 1_000_001}},
	}
	for _, test := range tests {
		if got := roomFor([]*work{{reads: test.reads}, {reads: test.reads}}); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

// TestPlant checks that plant creates what works read, once, and nothing else.
func TestPlant(t *testing.T) {
	p := &place{share: t.TempDir()}
	works := []*work{{reads: []string{slowName}}, {reads: []string{slowName}}}
	if err := plant(p, works); err != nil {
		t.Fatal(err)
	}
	if err := checkTree("", p.in(slowName), slow); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(p.share)
	if err != nil || len(entries) != 2 {
		t.Errorf("the share holds %v, %v", entries, err)
	}
	for _, w := range allWorks() {
		for _, name := range w.reads {
			if !isPlanted(name) {
				t.Errorf("%s reads %s, which nobody plants", w.name, name)
			}
		}
	}
}

// TestCheckBig checks that checkBig detects copies with a wrong size or content.
func TestCheckBig(t *testing.T) {
	const size = 2 * mib
	tests := []struct {
		name   string
		change func(name string) error
		want   string
	}{
		{"whole", func(string) error { return nil }, ""},
		{"cut off", func(name string) error { return os.Truncate(name, size-1) }, "wrong: 2097151 of 2097152 bytes"},
		{"too long", func(name string) error { return os.Truncate(name, size+1) }, "wrong: 2097153 of 2097152 bytes"},
		{"holes", func(name string) error { return errors.Join(os.Truncate(name, 0), os.Truncate(name, size)) }, "wrong: different content"},
		{"one block twice", func(name string) error {
			return os.WriteFile(name, slices.Repeat(content(0, mib), 2), 0o600)
		}, "wrong: different content"},
		{"none", os.Remove, "broke"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			big, name := filepath.Join(dir, "big"), filepath.Join(dir, "copy")
			// A work may only transfer a part of the file.
			if err := errors.Join(plantBig(big, size+mib), plantBig(name, size), test.change(name)); err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := checkBig(big, name, size); err != nil {
				got = failure(err)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

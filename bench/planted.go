package main

import (
	"errors"
	"os"
	"slices"
)

// The names in the share that works read.
const (
	manyName    = "many"
	listName    = "list"
	flatName    = "flat"
	slowName    = "slow"
	millionName = "million"
	bigName     = "big.bin"
	hugeName    = "huge.bin"
	smallName   = "small.txt"
)

var (
	many   = layout{collections: 100, files: 100, size: 16 * kib}
	list1k = layout{collections: 1000, files: 100}
	slow   = layout{collections: 10, files: 100}
)

const (
	flatFiles    = 20_000
	millionFiles = 1_000_000

	bigSize  = 512 * mib
	hugeSize = 2048 * mib
)

// planted is a file or tree in the share that works read.
type planted struct {
	name  string
	plant func(path string) error
	// room is the space that a filesystem needs beyond baseRoom for it and its copies.
	room
}

// room is the capacity of a filesystem.
type room struct{ bytes, inodes int64 }

// baseRoom is enough for the plantings that have no room of their own, and for what works create:
// 3 GiB and 250,000 members.
var baseRoom = room{bytes: 4 << 30, inodes: 500_000}

var plantings = []planted{
	{name: manyName, plant: many.plant},
	{name: listName, plant: list1k.plant},
	{name: flatName, plant: func(path string) error { return plantFiles(path, flatFiles, nil) }},
	{name: slowName, plant: slow.plant},
	{name: millionName, plant: func(path string) error { return plantFiles(path, millionFiles, nil) }, room: room{bytes: 1 << 29, inodes: millionFiles + 1}},
	{name: bigName, plant: func(path string) error { return plantBig(path, bigSize) }},
	{name: hugeName, plant: func(path string) error { return plantBig(path, hugeSize) }, room: room{bytes: hugeSize}},
	{name: smallName, plant: func(path string) error { return os.WriteFile(path, smallContent, 0o600) }},
}

// plantedFor returns the plantings that works read.
func plantedFor(works []*work) []planted {
	needed := []string{smallName}
	for _, w := range works {
		needed = append(needed, w.reads...)
	}
	var some []planted
	for _, what := range plantings {
		if slices.Contains(needed, what.name) {
			some = append(some, what)
		}
	}
	return some
}

// plant creates the files and trees in the share that works read.
func plant(p *place, works []*work) error {
	for _, what := range plantedFor(works) {
		path := p.in(what.name)
		if err := errors.Join(what.plant(path), p.owner.giveTree(path)); err != nil {
			return err
		}
	}
	return syncFilesystem(p.share)
}

// roomFor returns the capacity that works need.
func roomFor(works []*work) room {
	need := baseRoom
	for _, what := range plantedFor(works) {
		need.bytes += what.bytes
		need.inodes += what.inodes
	}
	return need
}

// isPlanted reports whether plant may have created name.
func isPlanted(name string) bool {
	return slices.ContainsFunc(plantings, func(what planted) bool { return what.name == name })
}

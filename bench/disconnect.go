package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stagePrefix begins the name of a stage, which davd creates beside the destination of a COPY.
const stagePrefix = ".davd-"

// stageLook is the time between two checks of the stage. The measured time is too long by up to
// this much.
const stageLook = 200 * time.Microsecond

// disconnect is a client that disconnects in the middle of a COPY of a tree onto a collection.
// davd should then undo the COPY.
type disconnect struct {
	source    string
	tree      layout // at source
	displaced layout // at the destination
}

func disconnectWorks() []*work {
	d := disconnect{source: manyName, tree: many, displaced: layout{collections: 1, files: 100, size: kib}}
	return []*work{{
		name: "COPY of 10,000 files undone when its client disconnects half way", measures: seconds,
		reads: []string{d.source}, writes: true, alone: true, flags: []string{"--on-disconnect", "cancel"},
		before: d.before,
		do: func(ctx context.Context, t *trial) ([]time.Duration, error) {
			took, err := d.run(ctx, t)
			return []time.Duration{took}, err
		},
		check: d.check,
		after: func(t *trial) error { return t.remove(copyName) },
	}}
}

func (d disconnect) before(t *trial) error {
	return errors.Join(d.displaced.plant(t.in(copyName)), t.owner.giveTree(t.in(copyName)))
}

// check checks that the destination is as before, and that no stage is left.
func (d disconnect) check(t *trial) error {
	stage, err := findStage(t)
	switch {
	case err != nil:
		return err
	case stage != "":
		return &wrongError{"a stage is left"}
	}
	return checkTree("", t.in(copyName), d.displaced)
}

// run closes the connection when half of the tree is copied. It returns how long it takes from
// then until nothing is left of the copy.
func (d disconnect) run(ctx context.Context, t *trial) (time.Duration, error) {
	c := t.clients[0]
	c.begin("COPY", "/"+d.source+"/", []string{"Destination: " + t.url("/"+copyName+"/"), "Depth: infinity"}, 0)
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, errors.Join(errLost, err)
	}
	var stage string
	err := lookUntil(ctx, func() (bool, error) {
		var err error
		if stage == "" {
			stage, err = findStage(t)
		}
		return stage != "" && d.halfDone(stage), err
	})
	if err != nil {
		return 0, err
	}
	start := time.Now()
	c.close()
	err = lookUntil(ctx, func() (bool, error) {
		_, err := os.Lstat(stage)
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		return false, err
	})
	return time.Since(start), err
}

// halfDone reports whether half of the collections in stage have their last file.
func (d disconnect) halfDone(stage string) bool {
	have := 0
	for i := range d.tree.collections {
		if _, err := os.Lstat(filepath.Join(stage, collectionName(i), fileName(d.tree.files-1))); err == nil {
			have++
		}
	}
	return have >= d.tree.collections/2
}

// lookUntil calls isSo until it returns true or an error.
func lookUntil(ctx context.Context, isSo func() (bool, error)) error {
	for {
		if so, err := isSo(); so || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(stageLook):
		}
	}
}

// findStage returns the path of a stage in the share, or "".
func findStage(t *trial) (string, error) {
	entries, err := os.ReadDir(t.share)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), stagePrefix) {
			return t.in(e.Name()), nil
		}
	}
	return "", nil
}

package main

import (
	"context"
	"errors"
	"os"
)

// The names that works create in the share.
const (
	copyName  = "copy"
	movedName = "moved"
)

func copyWorks() []*work {
	return []*work{
		{
			name: "COPY infinity of 10,000 files of 16 KiB", measures: seconds, reads: []string{manyName}, writes: true,
			do:    timed(copyCollection(copyName)),
			check: func(t *trial) error { return checkTree(t.in(manyName), t.in(copyName), many) },
			after: func(t *trial) error { return t.remove(copyName) },
			floors: []floor{
				{name: "`cp -r`", do: timed(command("cp", "-r", manyName, copyName))},
				{name: "two threads", do: timed(func(_ context.Context, t *trial) error { return copyTree(t.in(manyName), t.in(copyName), 2) })},
			},
		},
		bigFile{bigName, bigSize, "512 MiB", false}.copy(),
		bigFile{hugeName, hugeSize, "2 GiB", true}.copy(),
	}
}

func removeWorks() []*work {
	return []*work{{
		name: "DELETE of 10,000 files", measures: seconds, reads: []string{manyName}, writes: true,
		before: func(t *trial) error { return plantCopy(t, copyName) },
		do:     timed(deleteCollection(copyName)),
		check:  func(t *trial) error { return gone(t.in(copyName)) },
		after:  func(t *trial) error { return t.remove(copyName) },
		floors: []floor{{name: "`rm -rf`", do: timed(command("rm", "-rf", copyName))}},
	}}
}

func moveWorks() []*work {
	return []*work{{
		name: "MOVE of 10,000 files", measures: seconds, reads: []string{manyName}, repeat: 5,
		do: timed(func(ctx context.Context, t *trial) error {
			_, err := t.request(ctx, "MOVE", "/"+manyName+"/", []string{"Destination: " + t.url("/"+movedName+"/")}, "", skip)
			return err
		}),
		check: func(t *trial) error {
			return errors.Join(gone(t.in(manyName)), checkTree("", t.in(movedName), many))
		},
		after: func(t *trial) error {
			if _, err := os.Lstat(t.in(manyName)); err == nil {
				return nil
			}
			return os.Rename(t.in(movedName), t.in(manyName))
		},
		floors: []floor{{name: "rename(2)", do: timed(func(_ context.Context, t *trial) error {
			return os.Rename(t.in(manyName), t.in(movedName))
		})}},
	}}
}

// copyCollection returns a function that copies the tree manyName to name.
func copyCollection(name string) func(context.Context, *trial) error {
	return func(ctx context.Context, t *trial) error {
		_, err := t.request(ctx, "COPY", "/"+manyName+"/", []string{"Destination: " + t.url("/"+name+"/"), "Depth: infinity"}, "", skip)
		return err
	}
}

// deleteCollection returns a function that deletes the collection name.
func deleteCollection(name string) func(context.Context, *trial) error {
	return func(ctx context.Context, t *trial) error {
		_, err := t.request(ctx, "DELETE", "/"+name+"/", nil, "", skip)
		return err
	}
}

// command returns a function that runs a program. Arguments without a dash are names in the
// share.
func command(program string, args ...string) func(context.Context, *trial) error {
	return func(ctx context.Context, t *trial) error {
		var full []string
		for _, arg := range args {
			if arg[0] != '-' {
				arg = t.in(arg)
			}
			full = append(full, arg)
		}
		_, err := output(ctx, program, full...)
		return err
	}
}

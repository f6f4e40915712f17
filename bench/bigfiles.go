package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// bigFile is a transfer of a file in the share, or of its first size bytes.
type bigFile struct {
	name string
	size int64
	text string // the size, for people
	long bool   // omitted in quick mode
}

func getWorks() []*work {
	return []*work{
		getSmallWork(),
		bigFile{bigName, bigSize, "512 MiB", false}.get(),
		bigFile{hugeName, hugeSize, "2 GiB", true}.get(),
	}
}

func putWorks() []*work {
	return []*work{
		putSmallWork(),
		bigFile{bigName, bigSize, "512 MiB", false}.put(),
		bigFile{hugeName, hugeSize / 2, "1 GiB", true}.put(),
	}
}

// measures returns the measure of a transfer, bytes per second.
func (f bigFile) measures() []metric { return []metric{{unit: unit{float64(f.size), bytesPerSecond}}} }

func (f bigFile) get() *work {
	return &work{
		name: "GET " + f.text + ", discarded", measures: f.measures(), reads: []string{f.name}, long: f.long,
		do: timed(func(ctx context.Context, t *trial) error {
			a, err := t.request(ctx, "GET", "/"+f.name, nil, "", drop)
			if err == nil && a.length != f.size {
				err = &wrongError{fmt.Sprintf("%d bytes", a.length)}
			}
			return err
		}),
	}
}

func (f bigFile) put() *work {
	const made = "put.bin"
	return &work{
		name: "PUT " + f.text, measures: f.measures(), reads: []string{f.name}, writes: true, long: f.long,
		do: timed(func(ctx context.Context, t *trial) error {
			file, err := os.Open(t.in(f.name))
			if err != nil {
				return err
			}
			_, err = t.clients[0].upload(ctx, "/"+made, file, f.size)
			return errors.Join(err, file.Close())
		}),
		check: func(t *trial) error { return checkBig(t.in(f.name), t.in(made), f.size) },
		after: func(t *trial) error { return t.remove(made) },
	}
}

// copy reports the best round for a file above 1 GiB. Such a copy needs so many fresh pages of
// memory that the time mostly depends on the machine.
func (f bigFile) copy() *work {
	const made = "copy.bin"
	w := &work{
		name: "COPY of one file of " + f.text, measures: seconds, reads: []string{f.name}, writes: true, long: f.long,
		do: timed(func(ctx context.Context, t *trial) error {
			_, err := t.request(ctx, "COPY", "/"+f.name, []string{"Destination: " + t.url("/"+made)}, "", skip)
			return err
		}),
		check:  func(t *trial) error { return checkBig(t.in(f.name), t.in(made), f.size) },
		after:  func(t *trial) error { return t.remove(made) },
		floors: []floor{{name: "`cp`", do: timed(command("cp", f.name, made))}},
	}
	if f.size > 1<<30 {
		w.name, w.best = w.name+", best of the rounds", true
	}
	return w
}

package storagetest

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/davd/davd/storage"
)

var cancelChecks = []check{
	{"CancelledBefore", func(f *fixture) {
		want := Tree{"/dir": collection, "/file": "x"}
		WriteTree(f.t, f.FS, want)
		ctx, cancel := context.WithCancel(f.ctx)
		cancel()
		_, statErr := f.Stat(ctx, "/file")
		_, lstatErr := storage.Lstat(ctx, f.FS, "/file")
		_, readErr := f.OpenFile(ctx, "/file", os.O_RDONLY, 0)
		_, writeErr := f.OpenFile(ctx, "/new", os.O_RDWR|os.O_CREATE, 0o666)
		_, replaceErr := storage.ReplaceFile(ctx, f.FS, "/new", storage.Replacing{Perm: 0o666})
		for call, err := range map[string]error{
			"ReplaceFile": replaceErr,
			"Mkdir":       f.Mkdir(ctx, "/new", 0o777),
			"OpenFile":    readErr,
			"Create":      writeErr,
			"RemoveAll":   f.RemoveAll(ctx, "/file"),
			"Rename":      f.Rename(ctx, "/file", "/new"),
			"Stat":        statErr,
			"Lstat":       lstatErr,
			"Remove":      storage.Remove(ctx, f.FS, "/file"),
			"RemoveRoot":  f.RemoveAll(ctx, "/"),
			"CopyMember":  copyFile(ctx, f.FS, "/file", "/new", nil),
		} {
			if !errors.Is(err, context.Canceled) {
				f.t.Errorf("%s: %v, want context.Canceled", call, err)
			}
		}
		_, _, spaceErr := storage.Space(ctx, f.FS, "/file")
		for call, err := range map[string]error{
			"SetTimes": storage.SetTimes(ctx, f.FS, "/file", time.Now()),
			"Space":    spaceErr,
		} {
			if !errors.Is(err, context.Canceled) && !errors.Is(err, errors.ErrUnsupported) {
				f.t.Errorf("%s: %v, want context.Canceled", call, err)
			}
		}
		f.holds(want)
	}},
	{"CancelledInReadDir", func(f *fixture) {
		f.crowd()
		ctx, cancel := context.WithCancel(f.ctx)
		defer cancel()
		var n int
		var last error
		for _, err := range storage.ReadDir(ctx, f.FS, "/dir") {
			if last = err; err == nil {
				n++
				cancel()
			}
		}
		if n == 0 || n == crowd || !errors.Is(last, context.Canceled) {
			f.t.Errorf("%d members and then %v; want some of %d and then context.Canceled", n, last, crowd)
		}
	}},
	{"CancelledInCopyMember", func(f *fixture) {
		f.write("/src", string(noise(large)))
		ctx, cancel := context.WithCancel(f.ctx)
		defer cancel()
		fault := &Fault{FS: struct{ storage.FS }{f.FS}, Before: func(op, _ string) error {
			if op == "write" {
				cancel()
				return ctx.Err()
			}
			return nil
		}}
		err := copyFile(ctx, fault, "/src", "/dst", nil)
		f.fails(err, context.Canceled)
		f.missing("/dst")
	}},
}

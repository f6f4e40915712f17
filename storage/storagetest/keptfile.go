package storagetest

import (
	"errors"
	"io"
	"io/fs"

	"github.com/davd/davd/storage"
)

// keptName is the reserved name of content that outlives its replacement.
const keptName = storage.ReservedPrefix + "upload-storagetest"

var keptFileChecks = []check{
	{"KeepAndContinue", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "old")
		if !f.keeps("/dir/file", 0, "0123") {
			return
		}
		f.visible(Tree{"/dir": collection, "/dir/file": "old"})
		f.keeps("/dir/file", 4, "")
		f.keeps("/dir/file", 4, "4567")
		// The content after the offset is cut off.
		f.keeps("/dir/file", 6, "x")
		r := f.continues("/dir/file", 7, "yz")
		_, err := r.Commit(f.ctx, storage.Placing{})
		f.succeeds(err)
		f.succeeds(r.Discard())
		f.holds(Tree{"/dir": collection, "/dir/file": "012345xyz"})
	}},
	{"KeepAndCreate", func(f *fixture) {
		if !f.keeps("/file", 0, "0123") {
			return
		}
		f.missing("/file")
		r := f.continues("/file", 4, "4")
		info, err := r.Commit(f.ctx, storage.Placing{Create: true})
		f.succeeds(err)
		f.describes(info, "/file", 5)
		f.holds(Tree{"/file": "01234"})
	}},
	{"KeepAgainFromStart", func(f *fixture) {
		if !f.keeps("/file", 0, "a long content") || !f.keeps("/file", 0, "") {
			return
		}
		r := f.continues("/file", 0, "short")
		_, err := r.Commit(f.ctx, storage.Placing{})
		f.succeeds(err)
		f.holds(Tree{"/file": "short"})
	}},
	{"KeepLost", func(f *fixture) {
		_, err := f.tryContinue("/file", 1)
		f.fails(err, storage.ErrStageLost)
		f.holds(Tree{})
		if !f.keeps("/file", 0, "0123") {
			return
		}
		_, err = f.tryContinue("/file", 5)
		f.fails(err, storage.ErrStageLost)
		r := f.continues("/file", 4, "")
		f.succeeds(r.Discard())
		_, err = f.tryContinue("/file", 4)
		f.fails(err, storage.ErrStageLost)
		f.holds(Tree{})
	}},
	{"KeepRefused", func(f *fixture) {
		for _, name := range []string{"file", "../.davd-x", "a/.davd-x", ".davd-x/b"} {
			_, err := storage.ReplaceFile(f.ctx, f.FS, "/file", storage.Replacing{Perm: 0o666, Kept: name})
			f.fails(err, fs.ErrInvalid)
		}
		if !f.keeps("/file", 0, "0123") {
			return
		}
		// An error of the check leaves the content.
		_, err := storage.ReplaceFile(f.ctx, f.FS, "/file", storage.Replacing{
			Perm: 0o666, Kept: keptName, From: 4, Check: func(fs.FileInfo) error { return errFault },
		})
		f.fails(err, errFault)
		r := f.continues("/file", 4, "4")
		_, err = r.Commit(f.ctx, storage.Placing{})
		f.succeeds(err)
		f.holds(Tree{"/file": "01234"})
	}},
}

// tryContinue starts a replacement with kept content of length from.
func (f *fixture) tryContinue(name string, from int64) (storage.Replacement, error) {
	return storage.ReplaceFile(f.ctx, f.FS, name, storage.Replacing{Perm: 0o666, Kept: keptName, From: from})
}

// continues adds content to what was kept.
func (f *fixture) continues(name string, from int64, content string) storage.Replacement {
	f.t.Helper()
	r, err := f.tryContinue(name, from)
	if err != nil {
		f.t.Fatal(err)
	}
	_, err = io.WriteString(r, content)
	f.succeeds(err)
	return r
}

// keeps adds content and keeps it. It returns false if the backend can't keep any.
func (f *fixture) keeps(name string, from int64, content string) bool {
	f.t.Helper()
	r := f.continues(name, from, content)
	err := storage.Keep(f.ctx, r, storage.SyncClose)
	if errors.Is(err, errors.ErrUnsupported) {
		_, err := f.tryContinue(name, max(from, 1))
		f.fails(err, storage.ErrStageLost, errors.ErrUnsupported)
		return false
	}
	f.succeeds(err)
	f.succeeds(r.Discard())
	_, err = r.Commit(f.ctx, storage.Placing{})
	f.fails(err, fs.ErrClosed)
	return true
}

package mount

import (
	"context"
	"io"
	"io/fs"
	"path"
	"sync/atomic"
	"syscall"

	"github.com/davd/davd/storage"
)

// ReplaceFile implements storage.FileReplacer.
func (f *FS) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	at, err := f.target(ctx, "replacefile", name)
	if err != nil {
		return nil, err
	}
	defer at.release()
	if at.node != nil {
		return nil, &fs.PathError{Op: "replacefile", Path: name, Err: syscall.EISDIR}
	}
	if err := f.outside(ctx, at, true); err != nil {
		return nil, &fs.PathError{Op: "replacefile", Path: name, Err: err}
	}
	begun, err := storage.ReplaceFile(ctx, at.in.fsys, at.name, r)
	if err != nil {
		return nil, at.failed(err)
	}
	at.in.refs.Add(1)
	kept := &replacement{Replacement: begun, at: at}
	if from, ok := begun.(io.ReaderFrom); ok {
		return &readingReplacement{replacement: kept, from: from}, nil
	}
	return kept, nil
}

// replacement keeps its storage open.
type replacement struct {
	storage.Replacement
	at   target
	done atomic.Bool
}

func (r *replacement) Write(p []byte) (int, error) {
	n, err := r.Replacement.Write(p)
	return n, r.at.failed(err)
}

// StageName implements storage.Stager.
func (r *replacement) StageName() string {
	name := storage.StageName(r.Replacement)
	if name == "" {
		return ""
	}
	return path.Join(path.Dir(r.at.full), path.Base(name))
}

// Keep implements storage.Keeper.
func (r *replacement) Keep(ctx context.Context, sync storage.Sync) error {
	defer r.end()
	return r.at.failed(storage.Keep(ctx, r.Replacement, sync))
}

// Prepare implements storage.Preparer.
func (r *replacement) Prepare(ctx context.Context) error {
	return r.at.failed(storage.Prepare(ctx, r.Replacement))
}

// Commit implements storage.Replacement.
func (r *replacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	defer r.end()
	info, err := r.Replacement.Commit(ctx, p)
	return info, r.at.failed(err)
}

// Discard implements storage.Replacement.
func (r *replacement) Discard() error {
	defer r.end()
	return r.at.failed(r.Replacement.Discard())
}

func (r *replacement) end() {
	if !r.done.Swap(true) {
		r.at.release()
	}
}

type readingReplacement struct {
	*replacement
	from io.ReaderFrom
}

// ReadFrom implements io.ReaderFrom.
func (r *readingReplacement) ReadFrom(reader io.Reader) (int64, error) {
	n, err := r.from.ReadFrom(reader)
	return n, r.at.failed(err)
}

package storagetest

import (
	"context"
	"errors"
	"io/fs"

	"github.com/davd/davd/storage"
)

// faultReplacement is a replacement of a Fault.
type faultReplacement struct {
	storage.Replacement
	fault *Fault
	name  string
}

// abilities are the interfaces that the fallback of storage.ReplaceFile may use.
type abilities interface {
	storage.Lstater
	storage.Remover
	storage.TimeSetter
	storage.DeadPropsReader
}

// staging hides that a Fault is a storage.FileReplacer, so that the fallback of
// storage.ReplaceFile makes its calls one by one.
type staging struct{ abilities }

// ReplaceFile implements storage.FileReplacer.
func (f *Fault) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	if _, ok := f.FS.(storage.FileReplacer); !ok {
		return storage.ReplaceFile(ctx, staging{f}, name, r)
	}
	if err := f.before("replacefile", name); err != nil {
		return nil, err
	}
	begun, err := storage.ReplaceFile(ctx, f.FS, name, r)
	if err != nil {
		return nil, err
	}
	return faultReplacement{Replacement: begun, fault: f, name: name}, nil
}

func (r faultReplacement) Write(p []byte) (int, error) {
	if err := r.fault.before("write", r.name); err != nil {
		return 0, err
	}
	return r.Replacement.Write(p)
}

// Commit discards the content if it fails.
func (r faultReplacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	if err := r.fault.before("commit", r.name); err != nil {
		return nil, errors.Join(err, r.Replacement.Discard())
	}
	return r.Replacement.Commit(ctx, p)
}

// Discard discards the content even if Before returns an error.
func (r faultReplacement) Discard() error {
	err := r.fault.before("discard", r.name)
	return errors.Join(err, r.Replacement.Discard())
}

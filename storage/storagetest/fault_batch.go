package storagetest

import (
	"context"
	"io/fs"
	"iter"
	"path"

	"github.com/davd/davd/storage"
)

// oneByOne hides that a Fault is a storage.BatchCopier, so that the fallback makes its calls
// one by one. It works because a struct with two embedded methods of the same name at the
// same depth has neither.
type oneByOne struct {
	*Fault
	noBatch //nolint:unused // It hides CopyMembers.
}

type noBatch interface{ CopyMembers() } //nolint:unused // It hides CopyMembers.

// CopyMembers implements storage.BatchCopier.
func (f *Fault) CopyMembers(ctx context.Context, src, dst string, members []fs.FileInfo, wrote func(n int64)) iter.Seq2[string, error] {
	if _, ok := f.FS.(storage.BatchCopier); !ok {
		return storage.CopyMembers(ctx, oneByOne{Fault: f}, src, dst, members, wrote)
	}
	return func(yield func(string, error) bool) {
		for i, member := range members {
			if err := f.before("copymembers", path.Join(src, member.Name())); err != nil {
				if !yield(member.Name(), err) {
					return
				}
				continue
			}
			for name, err := range storage.CopyMembers(ctx, f.FS, src, dst, members[i:i+1], wrote) {
				if !yield(name, err) {
					return
				}
			}
		}
	}
}

// Exchange implements storage.Exchanger.
func (f *Fault) Exchange(ctx context.Context, a, b string) error {
	for _, name := range []string{a, b} {
		if err := f.before("exchange", name); err != nil {
			return err
		}
	}
	return storage.Exchange(ctx, f.FS, a, b)
}

// CopyLink implements storage.LinkCopier.
func (f *Fault) CopyLink(ctx context.Context, src, dst string) error {
	if err := f.before("copylink", src); err != nil {
		return err
	}
	return storage.CopyLink(ctx, f.FS, src, dst)
}

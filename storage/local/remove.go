package local

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"syscall"
)

// RemoveMembers removes members of the collection name. It opens the collection only once.
func (f *FS) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		collection, openErr := f.membersOf(name)
		if openErr == nil {
			defer collection.Close()
		}
		for _, member := range members {
			err := cmp.Or(ctx.Err(), openErr)
			if err == nil {
				err = removeMember(collection, member)
			}
			if err != nil {
				err = f.failed("remove", path.Join(name, member), err, writing)
			}
			if !yield(member, err) {
				return
			}
		}
	}
}

// memberRemover is an open collection whose members can be removed.
type memberRemover interface {
	// Remove removes one member: a file, a symbolic link or an empty collection.
	Remove(base string) error
	Close() error
}

// membersOf opens the collection name so that its members can be removed.
func (f *FS) membersOf(name string) (memberRemover, error) {
	local, ok := localName(name)
	if !ok {
		return nil, fs.ErrNotExist
	}
	return f.openMembers(local)
}

// openRoot opens the collection local so that its members can be reached.
func (f *FS) openRoot(local string) (*os.Root, error) {
	collection, err := f.root.OpenRoot(local)
	if err != nil {
		var errno syscall.Errno
		if !errors.As(err, &errno) && !errors.Is(err, f.escape) && !errors.Is(err, fs.ErrClosed) {
			err = syscall.ENOTDIR // The error of OpenRoot for a file matches no known one.
		}
		return nil, err
	}
	return collection, nil
}

func removeMember(collection memberRemover, member string) error {
	local, ok := memberName(member)
	if !ok {
		return fs.ErrNotExist
	}
	return collection.Remove(local)
}

// RemoveAll removes name and everything in it. It returns nil if name doesn't exist. Once
// it has started, it doesn't check ctx again.
func (f *FS) RemoveAll(ctx context.Context, name string) error {
	local, err := started(ctx, "removeall", name, fs.ErrNotExist)
	switch {
	case err != nil:
	case local == rootName:
		err = f.failed("removeall", name, fs.ErrPermission, writing)
	default:
		err = f.failed("removeall", name, f.root.RemoveAll(local), writing)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

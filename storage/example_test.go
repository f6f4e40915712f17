package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// ram is a backend of its own: the five methods of webdav.FileSystem, here those of x/net's
// storage in memory, and one capability. Its test should call storagetest.TestFS.
type ram struct {
	webdav.FileSystem
	size int64 // bytes
}

var _ storage.Spacer = ram{} // otherwise the capability is lost without a message

// Space implements storage.Spacer. Clients see the numbers as quota properties, and a PUT that
// doesn't fit is refused before it begins.
func (r ram) Space(ctx context.Context, _ string) (used, available int64, err error) {
	used, err = r.sizeOf(ctx, "/")
	return used, max(r.size-used, 0), err
}

func (r ram) sizeOf(ctx context.Context, name string) (size int64, err error) {
	// ReadDir works with any backend, because it falls back to Readdir.
	for member, err := range storage.ReadDir(ctx, r.FileSystem, name) {
		if err != nil {
			return 0, err
		}
		if !member.IsDir() {
			size += member.Size()
			continue
		}
		below, err := r.sizeOf(ctx, storage.Clean(name+"/"+member.Name()))
		if err != nil {
			return 0, err
		}
		size += below
	}
	return size, nil
}

// A backend needs the five methods of x/net's webdav.FileSystem. Each capability is one more
// method. Callers use the functions of package storage, which work for any backend.
func Example_backend() {
	ctx := context.Background()
	fsys := ram{FileSystem: webdav.NewMemFS(), size: 100}

	// memFS can't replace a file in one step, so this writes a file with a reserved name and
	// renames it.
	file, err := storage.ReplaceFile(ctx, fsys, "/greeting", storage.Replacing{Perm: 0o666})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.WriteString(file, "hello"); err != nil {
		fmt.Println(err)
		return
	}
	info, err := file.Commit(ctx, storage.Placing{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Name(), info.Size())

	used, available, err := storage.Space(ctx, fsys, "/")
	fmt.Println(used, available, err)

	// Without a method, some functions have no fallback.
	err = storage.Exchange(ctx, fsys, "/greeting", "/other")
	fmt.Println(errors.Is(err, errors.ErrUnsupported))

	// Errors match those of package fs.
	err = storage.Remove(ctx, fsys, "/none")
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// greeting 5
	// 5 95 <nil>
	// true
	// true
}

package aferofs_test

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage/aferofs"
)

func Example() {
	memory := afero.NewMemMapFs()
	if err := afero.WriteFile(memory, "/docs/greeting", []byte("hello"), 0o666); err != nil {
		fmt.Println(err)
		return
	}

	fsys := aferofs.New(memory)
	ctx := context.Background()
	info, err := fsys.Stat(ctx, "/docs/greeting")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Name(), info.Size())

	// A MemMapFs alone would create the parent.
	_, err = fsys.OpenFile(ctx, "/missing/file", os.O_RDWR|os.O_CREATE, 0o666)
	fmt.Println(err)
	// Output:
	// greeting 5
	// open /missing/file: file does not exist
}

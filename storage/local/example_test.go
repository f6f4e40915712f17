package local_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/davd/davd/storage/local"
)

func Example() {
	dir, err := os.MkdirTemp("", "share")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	fsys, err := local.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fsys.Close()

	ctx := context.Background()
	file, err := fsys.OpenFile(ctx, "/greeting", os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.WriteString(file, "hello"); err != nil {
		fmt.Println(err)
	}
	if err := file.Close(); err != nil {
		fmt.Println(err)
	}

	info, err := fsys.Stat(ctx, "/greeting")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Name(), info.Size())
	_, err = fsys.Stat(ctx, "/../../etc/passwd")
	fmt.Println(err)
	// Output:
	// greeting 5
	// stat /../../etc/passwd: no such file or directory
}

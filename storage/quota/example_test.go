package quota_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/quota"
)

// A directory may hold 16 bytes.
func Example() {
	dir, err := os.MkdirTemp("", "quota")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	files, err := local.Open(dir)
	if err != nil {
		log.Print(err)
		return
	}
	limited := quota.New(files, quota.Options{Limit: 16})

	f, err := limited.OpenFile(context.Background(), "/a", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		log.Print(err)
		return
	}
	for _, line := range []string{"it fits\n", "but not all of it\n"} {
		_, err := io.WriteString(f, line)
		fmt.Println("out of room:", storage.NoSpace(err))
	}
	if err := f.Close(); err != nil {
		log.Print(err)
	}
	usage, err := limited.Usage(context.Background())
	fmt.Printf("%d of %d bytes, %v\n", usage.Used, usage.Limit, err)
	// Output:
	// out of room: false
	// out of room: true
	// 8 of 16 bytes, <nil>
}

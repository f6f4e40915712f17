package mount_test

import (
	"context"
	"fmt"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/mount"
)

// Two storages in one name space. The root only leads to them.
func Example() {
	memory := func(context.Context, string) (storage.FS, error) { return webdav.NewMemFS(), nil }
	fsys, err := mount.New(
		mount.Share{ID: "photos", At: "/photos", Open: memory},
		mount.Share{ID: "homes", At: "/home/{user}", Open: memory},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fsys.Close()

	ctx := storage.WithPrincipal(context.Background(), "ann")
	fmt.Println(fsys.Mkdir(ctx, "/photos/2024", 0o777))
	fmt.Println(fsys.Mkdir(ctx, "/music", 0o777))
	for info, err := range storage.ReadDir(ctx, fsys, "/home") {
		fmt.Println(info.Name(), err)
	}
	// Output:
	// <nil>
	// mkdir /music: permission denied
	// ann <nil>
}

package access_test

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
)

func Example() {
	policy, err := access.NewPolicy([]access.Share{
		{At: "/home/{user}"},
		{At: "/photos", Rules: []access.Rule{
			{Path: "/", Subject: access.Users(), Rights: storage.RightsRead},
			{Path: "/", Subject: access.Group("family"), Rights: storage.RightsWrite},
			{Path: "/private", Subject: access.Users(), Rights: storage.RightsNone},
			{Path: "/private", Subject: access.User("ann"), Rights: storage.RightsWrite},
		}},
	}, map[string][]string{"ann": {"family"}, "eve": {"family"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fsys := access.New(webdav.NewMemFS(), policy)
	for _, user := range []string{"ann", "eve", "bob"} {
		ctx := storage.WithPrincipal(context.Background(), user)
		fmt.Println(user+":", storage.RightsAt(ctx, fsys, "/photos/2026"), storage.RightsAt(ctx, fsys, "/photos/private"), storage.RightsAt(ctx, fsys, "/home/ann"))
	}
	// Output:
	// ann: write write write
	// eve: write none none
	// bob: read none none
}

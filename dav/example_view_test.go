package dav_test

import (
	"context"
	"net/http"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
)

// Each user has their home at /, and beside its members the photos of all.
func ExampleNewView() {
	h := &dav.Handler{
		FileSystem: webdav.NewMemFS(),
		Principal: func(r *http.Request) string {
			user, _, _ := r.BasicAuth() // verified by a handler in front
			return user
		},
		View: func(ctx context.Context) *dav.View {
			v, err := dav.NewView(
				dav.MountPoint{At: "/", Name: "/home/" + storage.PrincipalOf(ctx)},
				dav.MountPoint{At: "/photos", Name: "/photos"},
			)
			if err != nil {
				return nil
			}
			return v
		},
	}
	_ = h
}

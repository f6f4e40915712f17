package dav_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
)

// TestArchiveOfView: an archive of / has the members of the user's home and the shares beside it, by
// the names that the user knows, and nothing that the user may not read.
func TestArchiveOfView(t *testing.T) {
	h := &dav.Handler{Pages: namesPage{}, Principal: func(r *http.Request) string { return r.Header.Get("User") }}
	h.View = func(ctx context.Context) *dav.View {
		v, err := dav.NewView(dav.MountPoint{At: "/", Name: "/home/" + storage.PrincipalOf(ctx)},
			dav.MountPoint{At: "/family", Name: "/shared"}, dav.MountPoint{At: "/drop", Name: "/drop"})
		if err != nil {
			t.Error(err)
		}
		return v
	}
	s := serveLocal(t, h, layout{
		"/home/ann/f": "f", "/home/ann/sub/g": "g", "/home/ann/family/shadowed": "x", "/home/bob/own": "b",
		"/shared/s": "s", "/shared/private/p": "p", "/drop/d": "d", "/all/a": "a",
	})
	h.FileSystem = access.New(h.FileSystem, rightsPolicy(t, rightsSite()...))
	const drop = "davd-errors.txt=These members are missing in this archive:\n\ndrop: Forbidden\n"
	for _, tt := range []struct {
		user, target string
		want         []string
	}{
		{"ann", "/?zip", []string{drop, "drop/=", "f=f", "family/=", "family/private/=", "family/private/p=p", "family/s=s", "sub/=", "sub/g=g"}},
		{"bob", "/?zip", []string{drop, "drop/=", "family/=", "family/s=s", "own=b"}},
		{"bob", "/?zip&name=family&name=own", []string{"family/=", "family/s=s", "own=b"}},
		{"ann", "/family/?zip", []string{"private/=", "private/p=p", "s=s"}},
		{"bob", "/family/?zip", []string{"s=s"}},
	} {
		if got := unzip(t, s.wants(200, "GET", tt.target, "User: "+tt.user, accepts)); !slices.Equal(got, tt.want) {
			t.Errorf("%s of %s has %q, want %q", tt.target, tt.user, got, tt.want)
		}
	}
}

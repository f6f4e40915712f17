package access_test

import (
	"errors"
	"testing"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/access"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/storagetest"
)

// TestWholeTrees: a tree is copied or removed as a whole only if the principal has the rights at
// each member. The members that the server itself has put aside need none.
func TestWholeTrees(t *testing.T) {
	inner := storagetest.WholeTrees(aferofs.New(afero.NewMemMapFs()))
	storagetest.WriteTree(t, inner, storagetest.Tree{
		"/all": "/", "/all/a": "x", "/part": "/", "/part/a": "x", "/part/kept": "x", "/part/secret": "x", "/read": "/", "/read/a": "x",
	})
	fsys := access.New(inner, newPolicy(t, access.Share{At: "/", Rules: []access.Rule{
		{Path: "/", Subject: access.Anyone(), Rights: storage.RightsWrite},
		{Path: "/part/kept", Subject: access.Anyone(), Rights: storage.RightsRead},
		{Path: "/part/secret", Subject: access.Anyone(), Rights: storage.RightsNone},
		{Path: "/read", Subject: access.Anyone(), Rights: storage.RightsRead},
	}}))
	ctx, staging := storage.WithStaging(t.Context())
	copyTo := func(from, stage, destination string) error {
		staging.Set(stage, destination)
		return storage.CopyTree(ctx, fsys, storage.TreeCopying{From: from, To: stage})
	}
	for _, refused := range []error{
		copyTo("/part", "/all/.davd-1", "/all/part"), copyTo("/all", "/read/.davd-2", "/read/all"),
		copyTo("/all", "/.davd-3", "/part"),
		storage.RemoveTree(ctx, fsys, "/part"), storage.RemoveTree(ctx, fsys, "/read"),
	} {
		if !errors.Is(refused, errors.ErrUnsupported) {
			t.Errorf("error %v, want %v", refused, errors.ErrUnsupported)
		}
	}
	for _, allowed := range []error{
		copyTo("/read", "/all/.davd-4", "/all/read"), storage.RemoveTree(ctx, fsys, "/all"),
		fsys.Rename(storage.Unrestricted(ctx), "/part", "/.davd-5"), storage.RemoveTree(ctx, fsys, "/.davd-5"),
	} {
		if allowed != nil {
			t.Error(allowed)
		}
	}
	if got := storagetest.ReadTree(t, inner, "/"); len(got) != 2 {
		t.Errorf("%q is left, want /read and its member", got)
	}
}

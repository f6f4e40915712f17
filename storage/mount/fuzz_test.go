package mount_test

import (
	"context"
	"strings"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/mount"
)

// FuzzNames checks that a call reaches only the share with the longest name that contains the name
// of the call, and that it gets the rest of that name.
func FuzzNames(f *testing.F) {
	f.Add("/a/b/c", "ann")
	f.Add("/a/../b/{user}", ".davd-x")
	f.Add("//home/ann//x/.", "..")
	places := []string{"/", "/a", "/a/b/c", "/home/{user}", "/home/all"}
	var got string
	shares := make([]mount.Share, len(places))
	for i, at := range places {
		shares[i] = mount.Share{ID: "s" + strings.Repeat("x", i), At: at, Open: func(_ context.Context, user string) (storage.FS, error) {
			return spy{webdav.NewMemFS(), func(name string) { got = strings.ReplaceAll(at, "{user}", user) + " " + name }}, nil
		}}
	}
	fsys, err := mount.New(shares...)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name, user string) {
		for _, name := range []string{name, "/home/" + user, "/home/" + user + name} {
			got = ""
			_ = fsys.RemoveAll(t.Context(), name)
			clean := storage.Clean(name)
			share := owner(places, clean)
			switch rest := strings.TrimPrefix(clean, strings.TrimSuffix(share, "/")); {
			case got != "" && got != share+" "+rest:
				t.Errorf("%q reached %q, want share %q", name, got, share)
			case got == "" && rest != "" && rest != "/" && clean != "/home" && !strings.HasPrefix(strings.ToLower(storage.Fold(clean)), "/a") && !folds(clean):
				t.Errorf("%q reached nothing, want share %q", name, share)
			}
		}
	})
}

// owner returns the name of the share that contains name.
func owner(places []string, name string) (share string) {
	for _, at := range places {
		if rest, ok := strings.CutPrefix(name, "/home/"); ok && at == "/home/{user}" {
			user, _, _ := strings.Cut(rest, "/")
			if mount.ValidUser(user) {
				at = "/home/" + user
			}
		}
		if storage.Contains(at, name) && len(at) >= len(share) {
			share = at
		}
	}
	return share
}

// folds reports whether a filesystem may take a segment of name for the name of a share.
func folds(name string) bool {
	for segment := range strings.SplitSeq(name, "/") {
		switch storage.Fold(segment) {
		case "a", "b", "c", "home", "all":
			return true
		}
	}
	return false
}

// spy is a storage that tells which names it is called with.
type spy struct {
	storage.FS
	called func(name string)
}

func (s spy) RemoveAll(_ context.Context, name string) error {
	s.called(name)
	return nil
}

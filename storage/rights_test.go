package storage_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// TestParseRights: presets stand alone, several names are single rights, and String returns what
// ParseRights reads.
func TestParseRights(t *testing.T) {
	for _, tt := range []struct {
		names []string
		want  storage.Right
		text  string
	}{
		{nil, storage.RightsNone, "none"},
		{[]string{"none"}, storage.RightsNone, "none"},
		{[]string{"read"}, storage.RightList | storage.RightRead, "read"},
		{[]string{"add"}, storage.RightList | storage.RightRead | storage.RightCreate, "add"},
		{[]string{"write"}, storage.RightsWrite, "write"},
		{[]string{"create"}, storage.RightCreate, "create"},
		{[]string{"write", "lock"}, storage.RightWrite | storage.RightLock, "write,lock"},
		{[]string{"list", "read"}, storage.RightsRead, "read"},
	} {
		got, err := storage.ParseRights(tt.names...)
		if err != nil || got != tt.want || got.String() != tt.text {
			t.Errorf("%v: %v, %v, want %s", tt.names, got, err, tt.text)
		}
	}
	for _, names := range [][]string{{"all"}, {"read", "none"}, {"read", ""}, {""}} {
		if _, err := storage.ParseRights(names...); err == nil {
			t.Errorf("%q: no error", names)
		}
	}
}

// TestNoAuthorizer: without an Authorizer, everything is allowed.
func TestNoAuthorizer(t *testing.T) {
	fsys := webdav.NewMemFS()
	if err := storage.Allowed(context.Background(), fsys, "/", storage.RightsWrite, true); err != nil {
		t.Error(err)
	}
	if got := storage.RightsAt(context.Background(), fsys, "/"); got != storage.RightsWrite {
		t.Error(got)
	}
}

// TestRefused: a refusal matches the error that a client sees, and ErrRefused, also without its
// name.
func TestRefused(t *testing.T) {
	for hidden, want := range map[bool]error{false: fs.ErrPermission, true: fs.ErrNotExist} {
		err := storage.Refused("open", "/x", hidden)
		for _, err := range []error{err, storage.Cause(err)} {
			if !errors.Is(err, want) || !errors.Is(err, storage.ErrRefused) {
				t.Errorf("hidden %v: %v", hidden, err)
			}
		}
		if errors.Is(err, fs.ErrPermission) == hidden {
			t.Errorf("hidden %v: %v matches both", hidden, err)
		}
	}
}

// TestStaged: only names in the staged tree have a logical name.
func TestStaged(t *testing.T) {
	ctx, s := storage.WithStaging(context.Background())
	if _, _, staged := storage.Staged(ctx, "/.davd-1"); staged {
		t.Error("staged before Set")
	}
	s.Set("/.davd-1", "/d")
	for name, want := range map[string]string{"/.davd-1": "/d", "/.davd-1/a/b": "/d/a/b", "/.davd-12": "", "/d": ""} {
		destination, rest, staged := storage.Staged(ctx, name)
		if destination+rest != want || staged != (want != "") {
			t.Errorf("%s: %s%s, %v", name, destination, rest, staged)
		}
	}
	if _, _, staged := storage.Staged(context.Background(), "/.davd-1"); staged {
		t.Error("staged in another context")
	}
	(*storage.Staging)(nil).Set("/.davd-1", "/d")
}

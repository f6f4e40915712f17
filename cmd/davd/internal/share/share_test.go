package share_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/share"
)

func TestHolds(t *testing.T) {
	base := t.TempDir()
	for _, dir := range []string{"srv/sub", "srv2", "out"} {
		if err := os.MkdirAll(filepath.Join(base, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"alias": "srv", "deep": "srv/sub", "srv/leads-out": "out", "hop": "srv/leads-out", "hops": "hop", "beside": "out", "round": "round",
	} {
		if err := os.Symlink(filepath.Join(base, target), filepath.Join(base, link)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(base, "srv"))
	for _, tt := range []struct {
		dir, path string
		want      bool
	}{
		{"srv", "srv", true},
		{"srv", "srv/", true},
		{"srv", "srv/x", true},
		{"srv", "srv/none/x.db", true},
		{"srv", "srv/sub/../../out", false},
		{"srv", "srv2", false},
		{"srv", "srv2/x", false},
		{"srv", "out/none/x", false},
		{"srv", ".", false},
		{"srv", "alias/x", true},
		{"srv", "deep", true},
		{"srv", "deep/none/x", true},
		{"srv", "srv/leads-out/x", true},
		{"alias", "srv/x", true},
		{"srv/sub", "srv/x", false},
		{".", "out", true},
		// A client can replace a link on the way.
		{"srv", "hop/x", true},
		{"srv", "hops", true},
		{"srv2", "hops", false},
		{"out", "hops/none/x", true},
		{"srv", "beside/x", false},
		{"srv", "round/x", false},
		// The meaning of ".." depends on where a link leads.
		{"srv", "deep/../x", true},
		{"srv/sub", "deep/../x", false},
	} {
		got, err := share.Holds(filepath.Join(base, tt.dir), base+"/"+tt.path)
		if err != nil || got != tt.want {
			t.Errorf("%s holds %s: %v, error %v", tt.dir, tt.path, got, err)
		}
	}
	if got, err := share.Holds(".", "x"); err != nil || !got {
		t.Errorf("the current directory holds x: %v, error %v", got, err)
	}
	if _, err := share.Holds("none", "x"); err == nil {
		t.Error("no error of a directory that is not there")
	}
}

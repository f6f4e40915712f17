package demo_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/cmd/davd/internal/accesslog"
	"github.com/davd/davd/cmd/davd/internal/demo"
	"github.com/davd/davd/storage"
)

func count(t *testing.T, fsys storage.FS, name string) int {
	t.Helper()
	n := 0
	for info, err := range storage.ReadDir(t.Context(), fsys, name) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if info.IsDir() {
			n += count(t, fsys, path.Join(name, info.Name()))
		}
	}
	return n
}

func TestTree(t *testing.T) {
	fsys, err := demo.NewStorage()
	if err != nil {
		t.Fatal(err)
	}
	if got := count(t, fsys, demo.Archive); got != demo.Members {
		t.Errorf("%s has %d members, want %d", demo.Archive, got, demo.Members)
	}
	if got := count(t, fsys, demo.Spare); got != 0 {
		t.Errorf("%s has %d members", demo.Spare, got)
	}
}

func TestRename(t *testing.T) {
	fsys, err := demo.NewStorage()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := fsys.Rename(ctx, demo.Archive, demo.Spare+"/archive"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("from one disk to another: got error %v", err)
	}
	if err := fsys.Rename(ctx, demo.Archive, demo.Archive+"-2"); err != nil {
		t.Errorf("on one disk: %v", err)
	}
	if err := fsys.Rename(ctx, demo.Spare, "/spare"); err != nil {
		t.Errorf("a disk: %v", err)
	}
}

func TestScreen(t *testing.T) {
	var out bytes.Buffer
	screen := &demo.Screen{Out: &out}
	screen.Guide("http://127.0.0.1:80/")
	for _, text := range []string{
		"Destination: http://127.0.0.1:80/disk2/by-curl/' http://127.0.0.1:80/disk1/archive/\n", "mount -t davfs http://127.0.0.1:80/ /mnt/davd\n",
	} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("the guide does not contain %q:\n%s", text, &out)
		}
	}
	out.Reset()
	r := httptest.NewRequest("COPY", "/a", http.NoBody)
	screen.Interim(r, http.Header{"Progress": {`1/3 "b"`}})
	screen.Final(r, accesslog.Record{Method: "COPY", Path: "/a", Destination: "/c", Status: 201, Interim: 1, Duration: 1250 * time.Millisecond})
	screen.Final(r, accesslog.Record{Method: "GET", Path: "/a", Status: 200})
	want := `102 Processing    COPY /a  1/3 "b"
201 Created       COPY /a to /c  after 1.3 s and 1 interim response
200 OK            GET /a  after 0.0 s
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

package junk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/davd/davd/dav"
	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/junk"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/storagetest"
)

func open(t *testing.T) storage.FS {
	t.Helper()
	fsys, err := local.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fsys.Close() })
	return fsys
}

func TestConformance(t *testing.T) {
	for _, mode := range []junk.Mode{junk.Hide, junk.Refuse} {
		t.Run(string(mode), func(t *testing.T) {
			storagetest.Suite{FollowsLinks: true, New: func(t *testing.T) storage.FS {
				return junk.New(open(t), mode)
			}}.Run(t)
		})
	}
}

func TestIs(t *testing.T) {
	for name, want := range map[string]bool{
		"/._a": true, "/d/._": true, "/.DS_Store": true, "/d/.ds_store": true, "/THUMBS.DB": true, "/Desktop.ini": true,
		"/": false, "/a": false, "/.a": false, "/_a": false, "/a._b": false, "/.DS_Store/a": false, "/._d/a": false,
		"/.DS_Store2": false, "/my desktop.ini": false, "/.davd-x": false,
	} {
		if junk.Is(name) != want {
			t.Errorf("%s: got %v", name, !want)
		}
	}
}

func TestKeep(t *testing.T) {
	inner := open(t)
	if junk.New(inner, junk.Keep) != inner || junk.New(inner, "") != inner {
		t.Error("it is decorated")
	}
}

var tree = storagetest.Tree{
	"/dir": "/", "/dir/a": "a", "/dir/._a": "1", "/dir/.DS_Store": "2", "/dir/sub": "/", "/dir/sub/Thumbs.db": "3",
	"/dir/sub/b": "b", "/only": "/", "/only/desktop.ini": "4",
}

// serve serves fsys, and returns a function that sends a request and returns its status and body.
func serve(t *testing.T, fsys storage.FS) func(method, path, destination, depth string) (int, string) {
	t.Helper()
	server := httptest.NewServer(&dav.Handler{FileSystem: fsys})
	t.Cleanup(server.Close)
	return func(method, path, destination, depth string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		if destination != "" {
			r.Header.Set("Destination", destination)
		}
		if depth != "" {
			r.Header.Set("Depth", depth)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
}

// TestListings checks that clients see no junk, and that it can be used by name.
func TestListings(t *testing.T) {
	for _, mode := range []junk.Mode{junk.Keep, junk.Hide, junk.Refuse} {
		t.Run(string(mode), func(t *testing.T) {
			inner := open(t)
			storagetest.WriteTree(t, inner, tree)
			send := serve(t, junk.New(inner, mode))
			for _, depth := range []string{"1", "infinity"} {
				code, body := send("PROPFIND", "/dir/", "", depth)
				if code != http.StatusMultiStatus || !strings.Contains(body, "/dir/a") {
					t.Errorf("depth %s: %d %s", depth, code, body)
				}
				if shown := strings.Contains(body, "._a") || strings.Contains(body, "DS_Store") || strings.Contains(body, "Thumbs"); shown != (mode == junk.Keep) {
					t.Errorf("depth %s: junk is shown: %v", depth, shown)
				}
			}
			if _, body := send(http.MethodGet, "/dir/", "", ""); strings.Contains(body, "DS_Store") != (mode == junk.Keep) {
				t.Errorf("the page is %s", body)
			}
			if code, body := send(http.MethodGet, "/dir/._a", "", ""); code != http.StatusOK || body != "1" {
				t.Errorf("GET is %d %s", code, body)
			}
			want := http.StatusCreated
			if mode == junk.Refuse {
				want = http.StatusForbidden
			}
			for _, request := range [][3]string{{http.MethodPut, "/dir/._new", ""}, {"COPY", "/dir/a", "/dir/.DS_store"}, {"MKCOL", "/dir/._dir", ""}} {
				if code, body := send(request[0], request[1], request[2], ""); code != want {
					t.Errorf("%v: %d %s", request, code, body)
				}
			}
		})
	}
}

// TestTrees checks that COPY, MOVE and DELETE of a collection take its junk along.
func TestTrees(t *testing.T) {
	for _, mode := range []junk.Mode{junk.Hide, junk.Refuse} {
		t.Run(string(mode), func(t *testing.T) {
			inner := open(t)
			storagetest.WriteTree(t, inner, tree)
			send := serve(t, junk.New(inner, mode))
			for _, request := range []struct {
				method, path, destination string
				want                      int
			}{
				{"COPY", "/dir/", "/copy/", http.StatusCreated},
				{"MOVE", "/dir/", "/moved/", http.StatusCreated},
				{http.MethodDelete, "/moved/", "", http.StatusNoContent},
				{http.MethodDelete, "/only/", "", http.StatusNoContent},
				{http.MethodDelete, "/copy/._a", "", http.StatusNoContent},
			} {
				if code, body := send(request.method, request.path, request.destination, ""); code != request.want {
					t.Errorf("%v: %d %s", request, code, body)
				}
			}
			want := storagetest.Tree{"/copy": "/", "/copy/a": "a", "/copy/.DS_Store": "2", "/copy/sub": "/", "/copy/sub/Thumbs.db": "3", "/copy/sub/b": "b"}
			got := storagetest.ReadTree(t, inner, "/")
			delete(got, "/")
			if !maps.Equal(got, want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestRefuse checks every way to create a file.
func TestRefuse(t *testing.T) {
	inner := open(t)
	storagetest.WriteTree(t, inner, storagetest.Tree{"/a": "x", "/._old": "y", "/.davd-stage": "/"})
	other := open(t)
	storagetest.WriteTree(t, other, storagetest.Tree{"/._theirs": "z", "/b": "b"})
	fsys := junk.New(inner, junk.Refuse)
	ctx := t.Context()
	rename := func(from storage.FS, r storage.Renaming) error { return storage.RenameWith(ctx, from, r) }
	copyAs := func(from storage.FS, into storage.FS, name, to, as string) error {
		info, err := from.Stat(ctx, name)
		if err != nil {
			return err
		}
		for _, err := range storage.CopyMembers(ctx, from, storage.Copying{From: "/", To: to, Into: into, Members: []fs.FileInfo{info}, As: as}) {
			return err
		}
		return nil
	}
	replace := func(name string) error {
		r, err := storage.ReplaceFile(ctx, fsys, name, storage.Replacing{})
		if err == nil {
			err = r.Discard()
		}
		return err
	}
	openAs := func(flag int) error {
		f, err := fsys.OpenFile(ctx, "/._new", flag, 0o666)
		if err == nil {
			err = f.Close()
		}
		return err
	}
	for name, err := range map[string]error{
		"create":       openAs(os.O_RDWR | os.O_CREATE),
		"mkdir":        fsys.Mkdir(ctx, "/._d", 0o777),
		"replace":      replace("/._old"),
		"rename":       fsys.Rename(ctx, "/a", "/._a"),
		"swap":         rename(fsys, storage.Renaming{Old: "/a", New: "/._old", Swap: true}),
		"swap back":    rename(fsys, storage.Renaming{Old: "/._old", New: "/a", Swap: true}),
		"from another": rename(other, storage.Renaming{Old: "/b", New: "/._b", Into: fsys}),
		"copy":         copyAs(fsys, nil, "/a", "/", "desktop.ini"),
		"copy in":      copyAs(other, fsys, "/._theirs", "/", ""),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"a member of a stage": copyAs(fsys, nil, "/._old", "/.davd-stage", ""),
		"another name":        replace("/b"),
		"copy out":            copyAs(fsys, other, "/._old", "/", ""),
		"removing":            storage.Remove(ctx, fsys, "/._old"),
	} {
		if err != nil {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if got := slices.Sorted(maps.Keys(storagetest.ReadTree(t, inner, "/"))); !slices.Contains(got, "/.davd-stage/._old") || slices.Contains(got, "/._old") {
		t.Errorf("got %v", got)
	}
}

// Macs can store their files, and listings hide them.
func Example() {
	dir, err := os.MkdirTemp("", "junk")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"song.mp3", "._song.mp3", ".DS_Store"} {
		if err := os.WriteFile(dir+"/"+name, nil, 0o600); err != nil {
			fmt.Println(err)
		}
	}
	files, err := local.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	listing, err := storage.ListShown(ctx, junk.New(files, junk.Hide), "/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listing.Close()
	found, _ := listing.Next(ctx)
	for _, entry := range found.Describe(ctx, 0, found.Len(), nil) {
		fmt.Println(entry.Name)
	}
	// Output: song.mp3
}

package local_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/davd/davd/storage/storagetest"
)

// TestCopyMembersLinks checks that a link that stays inside is copied as its target, and that any
// other link is missing, whether it is described as a link or as a file.
func TestCopyMembersLinks(t *testing.T) {
	s := newPair(t, storagetest.Tree{"/file": "content", "/src/near": "near"})
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"up": "../file", "beside": "near", "out": outside, "dangling": "nowhere", "loop": "loop", "dir": "../dst",
	} {
		if err := os.Symlink(target, s.path("/src/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(s.path("/file"), 0o640); err != nil {
		t.Fatal(err)
	}
	s.copyAll(t, "up", "beside")
	for _, name := range []string{"out", "dangling", "loop"} {
		info := s.describe(t, "/src", name)[0]
		for _, info := range []fs.FileInfo{info, fake{info, name}} {
			if err := s.copies(t, info)[name]; !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v, want fs.ErrNotExist", name, err)
			}
		}
	}
	if err := s.copies(t, s.describe(t, "/src", "dir")...)["dir"]; err == nil {
		t.Error("a link to a collection was copied")
	}
	got := storagetest.ReadTree(t, s, "/dst")
	if len(got) != 2 || got["/dst/up"] != "content" || got["/dst/beside"] != "near" {
		t.Errorf("the copies are %q", got)
	}
	if _, mode := s.owned(t, "/dst/up"); mode != 0o640 {
		t.Errorf("the copy has %v, want the target's bits", mode)
	}
}

// TestCopyMembersNeverOutside replaces a member, the source and the target by links during the copy,
// and checks that nothing outside is read or written.
func TestCopyMembersNeverOutside(t *testing.T) {
	const rounds = 300
	s := newPair(t, storagetest.Tree{"/src/a": "inside"})
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "a"), []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	links := newShare(t) // on the same filesystem
	for _, name := range []string{"/src", "/dst"} {
		if err := os.Symlink(outside, links.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(outside, "a"), links.path("/a")); err != nil {
		t.Fatal(err)
	}
	dst, err := os.OpenRoot(s.path("/dst"))
	if err != nil {
		t.Fatal(err)
	}
	defer dst.Close()
	infos := s.describe(t, "/src", "a")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			for _, name := range []string{"/src", "/dst", "/src/a"} {
				swapForAMoment(s.path(name), links.path("/"+filepath.Base(name)), links.path("/aside"))
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	copies := 0
	for range rounds {
		err := s.copies(t, infos...)["a"]
		content, readErr := dst.ReadFile("a")
		if err == nil {
			copies++
		}
		if (err == nil) != (readErr == nil) || err == nil && string(content) != "inside" {
			t.Fatalf("CopyMembers: %v; the copy is %q, %v", err, content, readErr)
		}
		_ = dst.Remove("a")
	}
	close(stop)
	<-done
	t.Logf("%d copies in %d rounds", copies, rounds)
	s.copyAll(t, "a")
	if got := storagetest.ReadTree(t, s, "/dst")["/dst/a"]; got != "inside" {
		t.Errorf("the copy is %q", got)
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside contains %v, %v", entries, err)
	}
	if got, err := os.ReadFile(filepath.Join(outside, "a")); err != nil || string(got) != "secret" {
		t.Errorf("the file outside reads %q, %v", got, err)
	}
}

// swapForAMoment replaces path by link for a moment.
func swapForAMoment(path, link, aside string) {
	_ = os.Rename(path, aside)
	_ = os.Rename(link, path)
	_ = os.Rename(path, link)
	_ = os.Rename(aside, path)
}

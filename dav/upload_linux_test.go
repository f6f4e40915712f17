package dav_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestUploadFullDisk fills the disk of the share. The upload continues when there is room again.
func TestUploadFullDisk(t *testing.T) {
	dir := smallDisk(t, "4m")
	content := noises(1 << 20)
	must(t, os.Mkdir(filepath.Join(dir, "share"), 0o777))
	state := t.TempDir()
	must(t, os.Symlink(filepath.Join(dir, "share"), filepath.Join(state, "share")))
	s := again(t, state)
	defer func() { must(t, s.close()) }()
	at := s.ask("PUT", "/file", content[:1000], partly).Header().Get("Location")
	undo := fillDisk(t, dir, 300<<10)
	if a := s.ask("PATCH", at, content[1000:], appended(1000, wholly)...); a.Code != http.StatusInsufficientStorage {
		t.Errorf("status %d on a full disk: %s", a.Code, a.Body)
	}
	head := s.ask("HEAD", at, "")
	offset, err := strconv.Atoi(head.Header().Get("Upload-Offset"))
	if err != nil || offset < 1000 {
		t.Fatalf("HEAD is %d, %v", head.Code, head.Header())
	}
	undo()
	if a := s.ask("PATCH", at, content[offset:], appended(offset, wholly)...); a.Code != http.StatusCreated {
		t.Errorf("status %d with room: %s", a.Code, a.Body)
	}
	got, err := os.ReadFile(filepath.Join(dir, "share", "file"))
	if err != nil || string(got) != content {
		t.Errorf("the file has %d bytes, %v", len(got), err)
	}
}

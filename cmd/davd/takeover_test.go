package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestTakeOver serves a directory alone, and then as a share. The share has the lock and the
// property of the directory, also after it gets another name, and the state is not taken over
// twice.
func TestTakeOver(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"photos", "other"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	alone := startDavd(t, "--state", filepath.Join(dir, "state"), filepath.Join(dir, "photos"))
	for _, step := range []struct {
		method, path, body string
		want               int
	}{
		{"PUT", "/a", "a", http.StatusCreated},
		{"PROPPATCH", "/a", `<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">kept</x></prop></set></propertyupdate>`, http.StatusMultiStatus},
		{"LOCK", "/a", `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>`, http.StatusOK},
	} {
		if status, _, err := alone.send(step.method, step.path, step.body, "Timeout: Second-3600"); err != nil || status != step.want {
			t.Fatalf("%s: %d, %v", step.method, status, err)
		}
	}
	if err := alone.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := alone.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	const file = "shares:\n  /photos: {dir: DIR/photos}\n  /other: {dir: DIR/other}\n"
	check := func(r *running, name string) {
		t.Helper()
		r.wants(http.StatusLocked, "", "DELETE", name)
		if content := r.wants(http.StatusMultiStatus, "", "PROPFIND", name, "Depth: 0"); !strings.Contains(content, "kept") {
			t.Errorf("%s has lost its property: %s", name, content)
		}
	}
	for range 2 {
		r := serveFile(t, dir, file)
		check(r, "/photos/a")
		r.write("davd.yaml", familyHead+strings.Replace(file, "/photos: {", "/pictures: {id: photos, ", 1))
		if _, err := r.reload(t.Context()); err != nil {
			t.Error(err)
		}
		check(r, "/pictures/a")
		r.stop()
	}
}

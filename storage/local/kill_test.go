//go:build unix

package local_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
)

// replacerDir is an environment variable. If it is set, the test program only replaces a file in that
// directory; if replacerPatches is set too, it patches the file.
const (
	replacerDir     = "DAVD_TEST_REPLACER_DIR"
	replacerPatches = "DAVD_TEST_REPLACER_PATCHES"
)

const (
	killSize     = 64 << 10 // bytes of the file
	killRounds   = 12
	killPatience = 2 * time.Minute // after this time, a writer ends by itself
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(replacerDir); dir != "" {
		if err := replaceForever(dir, os.Getenv(replacerPatches) != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	if beOther() {
		return
	}
	os.Exit(m.Run())
}

// replaceForever replaces the content of /file in dir by one letter after the other, in parts, and
// prints a line for each. A patch overwrites the old content.
func replaceForever(dir string, patches bool) error {
	fsys, err := local.Open(dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), killPatience)
	defer cancel()
	for n := 0; ; n++ {
		begin := storage.Replacing{Perm: 0o666}
		if patches {
			begin.Patch = func(fs.FileInfo) (int64, error) { return 0, nil }
		}
		r, err := fsys.ReplaceFile(ctx, "/file", begin)
		if err != nil {
			return err
		}
		part := bytes.Repeat([]byte{byte('a' + n%26)}, killSize/16)
		for range 16 {
			if _, err := r.Write(part); err != nil {
				return err
			}
		}
		if _, err := r.Commit(ctx, storage.Placing{}); err != nil {
			return err
		}
		if _, err := fmt.Println(n); err != nil {
			return err
		}
	}
}

// TestReplaceFileKilled repeatedly kills a process that replaces a file. The file must always be
// complete. At most one reserved name may be left behind.
func TestReplaceFileKilled(t *testing.T) {
	testKilled(t)
}

// TestPatchFileKilled is TestReplaceFileKilled with patches.
func TestPatchFileKilled(t *testing.T) {
	testKilled(t, replacerPatches+"=1")
}

func testKilled(t *testing.T, env ...string) {
	t.Helper()
	for round := range killRounds {
		s := newShare(t)
		killReplacer(t, s.dir, 1+3*round, env...)
		content, err := os.ReadFile(s.path("/file"))
		if err != nil {
			t.Fatal(err)
		}
		if len(content) != killSize || bytes.Count(content, content[:1]) != killSize {
			t.Errorf("round %d: the file is torn: it has %d bytes, %q and others", round, len(content), content[:1])
		}
		if names := s.names(t, "/"); len(names) > 2 || len(names) == 2 && !storage.Reserved("/"+names[0]) {
			t.Errorf("round %d: the directory contains %q", round, names)
		}
	}
}

// killReplacer starts a writer in dir and kills it after some replacements.
func killReplacer(t *testing.T, dir string, after int, env ...string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	writer := exec.CommandContext(t.Context(), self)
	writer.Env = append(append(os.Environ(), replacerDir+"="+dir), env...)
	var trouble strings.Builder
	writer.Stderr = &trouble
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; n < after && lines.Scan(); n++ {
		_ = n // The writer continues meanwhile.
	}
	if err := writer.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = writer.Wait() // The error is that it was killed.
	if trouble.Len() > 0 {
		t.Fatal(trouble.String())
	}
}

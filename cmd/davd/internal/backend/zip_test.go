package backend

import (
	"archive/zip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/storagetest"
)

// writeZip writes a ZIP file with the entries, which are pairs of names and contents.
func writeZip(t *testing.T, entries ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "files.zip")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(out)
	for i := 0; i < len(entries); i += 2 {
		header := &zip.FileHeader{Name: entries[i], Method: zip.Deflate}
		if entries[i] == "link" {
			header.SetMode(fs.ModeSymlink | 0o777)
		}
		entry, err := w.CreateHeader(header)
		if err == nil && !strings.HasSuffix(entries[i], "/") {
			_, err = io.WriteString(entry, entries[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

func openZip(t *testing.T, entries ...string) *Zip {
	t.Helper()
	z, err := OpenZip(writeZip(t, entries...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = z.Close() })
	return z
}

func TestZipConformance(t *testing.T) {
	tree := storagetest.Tree{"/a": "content", "/dir": "/", "/dir/b": "more", "/dir/empty": "/", "/implicit": "/", "/implicit/c": "c"}
	var entries []string
	for name, content := range tree {
		switch {
		case name == "/implicit":
			continue
		case content == "/":
			name += "/"
		}
		entries = append(entries, name[1:], content)
	}
	storagetest.TestReadOnlyFS(t, openZip(t, entries...), tree)
}

// TestZipHostile checks entries that must not hurt.
func TestZipHostile(t *testing.T) {
	z := openZip(t, "../up", "x", "/absolute", "x", "a/../../b", "x", `back\slash`, "x", "link", "/etc/passwd", "both", "file", "both/below", "x",
		"twice", "1", "twice", "2", "implicit/deep/file", "good", "dir/", "", ".davd-x", "x")
	got := map[string]bool{}
	err := storage.EachFile(t.Context(), z, "/", func(name string, info fs.FileInfo) {
		if info.Mode().IsRegular() {
			got[name] = true
		}
	})
	if err != nil {
		t.Error(err)
	}
	for name := range got {
		if strings.Contains(name, "..") || strings.Contains(name, "absolute") || strings.Contains(name, "back") {
			t.Errorf("%s is listed", name)
		}
	}
	if !got["/implicit/deep/file"] || !got["/twice"] || !got["/both/below"] || got["/both"] {
		t.Errorf("listed: %v", got)
	}
	for _, name := range []string{"/link", "/up", "/absolute", "/b", "/back/slash"} {
		if _, err := z.Stat(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	send := serve(t, z)
	for _, step := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/implicit/deep/file", 200}, {"PUT", "/new", 403}, {"DELETE", "/dir", 403}, {"MKCOL", "/new", 403}, {"PROPFIND", "/", 207},
	} {
		if code, body := send(step.method, step.path, "", "Depth", "infinity"); code != step.want {
			t.Errorf("%s %s: %d %s", step.method, step.path, code, body)
		}
	}
	if code, body := send("GET", "/implicit/deep/file", "", "Range", "bytes=1-2"); code != 206 || body != "oo" {
		t.Errorf("a range: %d %q", code, body)
	}
}

// TestZipBomb reads the end of an entry that is much larger than the file.
func TestZipBomb(t *testing.T) {
	const size = 256 << 20
	file := writeZip(t, "bomb", strings.Repeat("\x00", size))
	z, err := OpenZip(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	send := serve(t, z)
	perRun := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if code, body := send("GET", "/bomb", "", "Range", "bytes=-2"); code != 206 || len(body) != 2 {
				b.Errorf("a range: %d, %d bytes", code, len(body))
			}
		}
	}).AllocedBytesPerOp()
	if perRun > 4<<20 {
		t.Errorf("a range takes %d bytes of memory", perRun)
	}
}

func TestZipRefused(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.zip")
	if err := os.WriteFile(broken, []byte("PK not a zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{broken, broken + ".missing", t.TempDir()} {
		if _, err := OpenZip(file); err == nil {
			t.Errorf("%s is opened", file)
		}
	}
}

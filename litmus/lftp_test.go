package litmus

import (
	"crypto/rand"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// lftpSizes are the sizes of the files that lftp mirrors, in bytes. They are around the limits at
// which the format of a size in the index changes, and around the sizes of lftp's buffers.
var lftpSizes = []int{
	0, 1, 9, 10, 511, 512, 513, 999, 1000, 1001, 1023, 1024, 1025, 9949, 9950, 9999, 10_000,
	32<<10 - 1, 32 << 10, 64<<10 - 1, 64 << 10, 64<<10 + 1, 99_499, 99_500, 100_000, 999_499, 999_500, 999_999, 1_000_000,
	1 << 20, 1_234_567, 2_999_999, 3_000_000, 3 << 20, 9_999_999, 12_345_678,
}

// lftpNames are names with characters that are special in lftp, HTML, a URL or a shell. The content
// of each file is its name.
var lftpNames = []string{
	"a b", " leading", "trailing ", "100%", "%41%2F", "a%20b", "a#b", "a #1.docx", "q?x", "a&b", "&amp;", "&lt;b&gt;", "a;b=c", lftpLeavesOut,
	"a+b", "C:colon", "a@b", "$HOME", `"quote's"`, "<b>]]>", "[a]{b}^`|!", "*", "-dash", "--", ".hidden", "...",
	"index.html", "3 MB", "2026-11-30 05:48 3", "Zoë Größe", "Zoe\u0308", "日本語", "😀", "latin1-\xfc", "tab\there", "new\nline",
	longASCII, longUnicode,
}

// lftpLeavesOut is a name that lftp ignores, because it ends like an FTP URL.
const lftpLeavesOut = "a;type=i"

// lftpSettings are the settings for lftp's mirror.
var lftpSettings = []struct{ name, set string }{
	{"default settings", ""},
	{"http:use-propfind yes", "set http:use-propfind yes; "},
}

// TestLftp checks that lftp mirrors a share byte for byte, and counts the bytes correctly. lftp
// uses the HTML index for its listing, with any setting for PROPFIND.
func TestLftp(t *testing.T) {
	t.Parallel()
	share := publicDir(t)
	plantLftp(t, share)
	want := contents(t, share)
	maps.DeleteFunc(want, func(name, _ string) bool { return strings.Contains(name, lftpLeavesOut) })
	davd := serve(t, share)
	for _, c := range lftpSettings {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			mirror := filepath.Join(home, "out")
			lftp := func(commands string) string {
				t.Helper()
				args := []string{"--norc", "-c", "set cmd:fail-exit yes; " + c.set + "open " + davd.url + "/; " + commands}
				run := client{name: "lftp", args: args, dir: home, home: home}.mustRun(t)
				return run.stdout
			}
			lftp("mirror . out")
			wantContents(t, mirror, want)
			counted := lftp("du -b sizes")
			if sum := strconv.Itoa(sumOf(lftpSizes)) + "\tsizes"; strings.TrimSpace(counted) != sum {
				t.Errorf("du -b: %q, want %q", counted, sum)
			}
			// A second mirror transfers nothing.
			again := lftp("mirror --verbose . out")
			if strings.Contains(again, "Transferring") {
				t.Errorf("the second mirror: %s", again)
			}
			wantContents(t, mirror, want)
		})
	}
}

func sumOf(sizes []int) (sum int) {
	for _, size := range sizes {
		sum += size
	}
	return sum
}

// plantLftp creates files with all sizes and names.
func plantLftp(t *testing.T, share string) {
	t.Helper()
	files := make(map[string][]byte)
	for _, size := range lftpSizes {
		content := make([]byte, size)
		_, _ = rand.Read(content) // it never fails
		files["sizes/"+strconv.Itoa(size)] = content
	}
	for _, name := range lftpNames {
		files["names/"+name] = []byte(name)
		files["collections/"+name+"/inside"] = []byte("inside " + name)
	}
	for name, content := range files {
		name = filepath.Join(share, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

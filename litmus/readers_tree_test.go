package litmus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hostileNames are names of files. Each file has a different size and time.
var hostileNames = []string{
	// Characters that are special in a URL, in XML, in a shell, or at a prompt.
	"a b", " leading", "trailing ", "trailing.", "100%", "%41%2F", "a%20b", "a#b", "q?x", "a&b", "&amp;", "a;b=c", "a+b", "C:colon", "http:", "a@b", "$HOME",
	`"quote's"`, "<b>]]>", `back\slash`, "[a]{b}^`|!", "*", "~", "-dash", "--", ".hidden", "...", "readme.html", "CASE", "case",
	// Unicode: composed, decomposed, both forms of one name, and beyond the first plane.
	"Zoë Größe", "Zoe\u0308 decomposed", "both \u00e9", "both e\u0301", "日本語", "😀 \U0001f468\u200d\U0001f469\u200d\U0001f467",
	"right to left\u202e", "line\u2028", "byte order\ufeff", "next line\u0085", "no character\uffff",
	// Characters that XML can't represent, or changes.
	"tab\there", "new\nline", "return\rhere", "bell\a", "escape\x1b[31m", "delete\x7f", "latin1-\xfc",
	// Names of 255 bytes, which need up to 765 in the URL.
	longASCII, longUnicode,
}

var (
	longASCII   = "long " + strings.Repeat("x", 250)
	longUnicode = "long " + strings.Repeat("漢", 83) + "."
)

// hostileTimes are the modification times of files with these names. Filesystems that store times
// in 32 bits can't store all of them, so these tests don't work there.
var hostileTimes = map[string]time.Time{
	"-2147483647":       time.Unix(-2147483647, 0),
	"moon":              time.Date(1969, 7, 20, 20, 17, 40, 0, time.UTC),
	"last before 1970":  time.Unix(-1, 0),
	"first of 1970":     time.Unix(0, 0),
	"leap day":          time.Date(2000, 2, 29, 23, 59, 59, 999999999, time.UTC),
	"2147483648":        time.Unix(1<<31, 0),
	"4294967296":        time.Unix(1<<32, 0),
	"centuries from it": time.Date(2400, 12, 31, 23, 59, 59, 0, time.UTC),
}

// hostileSizes are the sizes of files with these names, in bytes. The largest ones are sparse.
var hostileSizes = map[string]int64{"empty": 0, "one": 1, "2 GiB": 2 << 30, "more than 4 GiB": 4<<30 + 1}

const (
	// manyMembers is how many members one collection has. With their long names, even a
	// listing with few properties is larger than davd's buffer.
	manyMembers = 900
	// heldBytes is how much of a listing davd buffers.
	heldBytes = 256 << 10
	// deepest is how deeply collections are nested.
	deepest = 24
)

// plantHostile creates a tree that is hard to list. All its times are known.
func plantHostile(t *testing.T, share string) {
	t.Helper()
	base := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	plant := func(name string, size int64, when time.Time) {
		t.Helper()
		plantFile(t, filepath.Join(share, name), size, when)
	}
	for i, name := range hostileNames {
		when := base.Add(time.Duration(i) * (24*time.Hour + time.Minute + time.Second))
		plant("names/"+name, int64(i), when)
	}
	for name, when := range hostileTimes {
		plant("times/"+name, 7, when)
	}
	for name, size := range hostileSizes {
		plant("sizes/"+name, size, base)
	}
	// Files that davd does not serve, and that the listing must omit.
	kinds := filepath.Join(share, "kinds")
	plant(".davd-left over/file", 1, base)
	plant("kinds/.DAV/file", 1, base)
	plant("kinds/file", 5, base)
	plant("kinds/collection/file", 6, base)
	if err := errors.Join(
		os.Mkdir(filepath.Join(share, "empty"), 0o755),
		os.Symlink("file", filepath.Join(kinds, "link")),
		os.Symlink("collection", filepath.Join(kinds, "link to collection")),
		os.Symlink("gone", filepath.Join(kinds, "broken")),
		os.Symlink("/etc/passwd", filepath.Join(kinds, "outside")),
		os.Symlink("itself", filepath.Join(kinds, "itself")),
	); err != nil {
		t.Fatal(err)
	}
	client{name: "mkfifo", args: []string{filepath.Join(kinds, "fifo")}}.mustRun(t)
	datePlanted(t, share, base)
}

// plantLarge adds members that make a listing large. There is a collection for each of the names,
// with a member that shows whether the client can enter it. There is also a collection with many
// members, with times of today and yesterday, and a deep one.
func plantLarge(t *testing.T, share string) {
	t.Helper()
	now := time.Now()
	for i, name := range hostileNames {
		plantFile(t, filepath.Join(share, "collections", name, "inside"), int64(i), now.AddDate(-1, 0, -i))
	}
	for i := range manyMembers {
		name := fmt.Sprintf("member %03d %s", i, strings.Repeat("é", 60))
		plantFile(t, filepath.Join(share, "many", name), int64(i%10), now.Add(-time.Duration(i+1)*time.Minute))
	}
	deep := filepath.Join(share, "deep")
	for i := range deepest {
		deep = filepath.Join(deep, strconv.Itoa(i+1))
	}
	plantFile(t, filepath.Join(deep, "bottom"), 3, now)
	for _, name := range []string{"collections", "many", "deep"} {
		datePlanted(t, filepath.Join(share, name), now.Add(-time.Hour))
	}
}

func plantFile(t *testing.T, name string, size int64, when time.Time) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, nil, 0o644), os.Truncate(name, size), os.Chtimes(name, when, when)); err != nil {
		t.Fatal(err)
	}
	if when.Year() > 2261 { // os.Chtimes uses 64-bit nanoseconds, which can't represent later times
		client{name: "touch", args: []string{"--date=@" + unixTime(when), name}}.mustRun(t)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != size || info.ModTime().Unix() != when.Unix() {
		t.Fatalf("the file system keeps %d bytes and %v of %q, not %d and %v", info.Size(), info.ModTime(), name, size, when)
	}
}

// datePlanted sets the time of each collection, from the bottom up.
func datePlanted(t *testing.T, share string, when time.Time) {
	t.Helper()
	err := filepath.WalkDir(share, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return os.Chtimes(name, when, when)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A resource describes a member in a listing, or on the disk.
type resource struct {
	collection bool
	size       int64 // of a file
	modified   time.Time
}

// onDisk returns the resources in share that davd serves, by path: files, directories, and the
// targets of symbolic links within share. It omits everything else, and davd's reserved names.
func onDisk(t *testing.T, share string) map[string]resource {
	t.Helper()
	root, err := filepath.EvalSymlinks(share)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]resource)
	var enter func(name string)
	enter = func(name string) {
		entries, err := os.ReadDir(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			member := path.Join(name, entry.Name())
			target, err := filepath.EvalSymlinks(filepath.Join(root, member))
			if err != nil || !strings.HasPrefix(target, root+"/") || strings.HasPrefix(entry.Name(), ".davd-") || entry.Name() == ".DAV" {
				continue
			}
			info, err := os.Stat(target)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case info.IsDir():
				found[member] = resource{collection: true, modified: info.ModTime()}
				enter(member)
			case info.Mode().IsRegular():
				found[member] = resource{size: info.Size(), modified: info.ModTime()}
			}
		}
	}
	enter("")
	return found
}

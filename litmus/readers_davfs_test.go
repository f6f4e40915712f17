package litmus

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"
)

var davfsReader = reader{
	name: "davfs2", needs: []string{"mount"}, version: packaged("davfs2"),
	permitted: func() error {
		if err := mountPermitted(); err != nil {
			return err
		}
		return fuseUsable()
	},
	// Its library uses the second before 1970 as an error value. davfs2 treats all times up to
	// the first second of 1970 as unknown.
	when: func(when time.Time) string {
		if when.Unix() <= 0 {
			return davfsNoTime
		}
		return unixTime(when)
	},
	apart: map[string]apart{
		"collections/" + longASCII + "/inside":   {gone: true, why: davfsLong},
		"collections/" + longUnicode + "/inside": {gone: true, why: davfsLong},
	},
	read: func(t *testing.T, base string, _ []string) shown {
		t.Helper()
		dir := davfsDir(t)
		settings, point := filepath.Join(dir, "davfs2.conf"), filepath.Join(dir, "mount")
		if err := errors.Join(os.Mkdir(point, 0o755), os.WriteFile(settings, davfsSettings(filepath.Join(dir, "cache")), 0o600)); err != nil {
			t.Fatal(err)
		}
		mounted := time.Now().Truncate(time.Second)
		if err := mount("davfs", "conf="+settings+",uid=0,gid=0", base+"/", point); err != nil {
			t.Fatal(err)
		}
		found := make(shown)
		listMount(t, point, "", mounted, found)
		if err := unmount(point); err != nil {
			t.Fatal(err)
		}
		return found
	},
}

const (
	// davfsNoTime stands for the time at which davfs2 first saw a file. davfs2 shows that if
	// the file's time is unknown.
	davfsNoTime  = "the mount"
	davfsLong    = "davfs2 keeps the members of a collection in a file of 11 bytes more than its name"
	davfsLongest = 244
)

// listMount lists a directory of a mount and everything below it. The buffer of os.ReadDir is small
// enough for davfs2, which fails with a buffer of 32 KiB, such as that of ls.
func listMount(t *testing.T, point, name string, mounted time.Time, found shown) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(point, name))
	if err != nil && len(path.Base(name)) <= davfsLongest {
		t.Errorf("davfs2 does not list %q: %v", name, err)
	}
	for _, entry := range entries {
		member := path.Join(name, entry.Name())
		info, err := os.Lstat(filepath.Join(point, member))
		if err != nil {
			t.Errorf("davfs2 lists %q, but: %v", member, err)
			continue
		}
		if member == "lost+found" {
			continue // davfs2 adds it
		}
		when := unixTime(info.ModTime())
		if age := info.ModTime().Sub(mounted); age >= 0 && age < time.Hour {
			when = davfsNoTime
		}
		found.note(t, member, describe(info.IsDir(), info.Size(), when))
		if info.IsDir() {
			listMount(t, point, member, mounted, found)
		}
	}
}

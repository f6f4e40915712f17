package storagetest

import (
	"errors"
	"io/fs"
	"regexp"
	"time"

	"github.com/davd/davd/storage"
)

var opaque = regexp.MustCompile(`^[0-9a-f]+(-[0-9a-f]+)+$`)

var factChecks = []check{
	{"BirthTime", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "x")
		for _, name := range []string{"/", "/dir", "/dir/file"} {
			born := storage.Born(f.stat(name))
			if born.IsZero() {
				f.t.Logf("this backend doesn't know when %s was created", name)
				continue
			}
			if age := time.Since(born); age.Abs() > clockSkew {
				f.t.Errorf("%s was created %v ago; want just now", name, age)
			}
		}
	}},
	{"Space", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/dir/file", "x")
		_, _, err := storage.Space(f.ctx, f.FS, "/dir/no")
		f.fails(err, fs.ErrNotExist, errors.ErrUnsupported)
		f.carry("/dir/no", err)
		for _, name := range []string{"/", "/dir", "/dir/file"} {
			used, available, err := storage.Space(f.ctx, f.FS, name)
			if errors.Is(err, errors.ErrUnsupported) {
				f.t.Logf("this backend doesn't know how much room %s has", name)
				continue
			}
			f.succeeds(err)
			if used <= 0 || available < 0 {
				f.t.Errorf("%s: %d bytes used, %d available", name, used, available)
			}
		}
	}},
	{"Version", func(f *fixture) {
		f.mkdir("/dir")
		f.write("/file", "x")
		for _, name := range []string{"/", "/dir", "/file"} {
			if v, _ := storage.Version(f.stat(name)); !opaque.MatchString(v) || v != f.version(name) {
				f.t.Errorf("%s has the versions %q and %q; want the same, in hexadecimal digits", name, v, f.version(name))
			}
		}
		before := f.version("/file")
		f.write("/file", "longer")
		if after := f.version("/file"); after == before {
			f.t.Errorf("the version is still %s although the content has changed", after)
		}
		if listed, _ := storage.Version(f.list("/")["file"]); listed != f.version("/file") {
			f.t.Errorf("the listing has the version %s; Stat has %s", listed, f.version("/file"))
		}
	}},
}

// version returns the version of name.
func (f *fixture) version(name string) string {
	f.t.Helper()
	version, _ := storage.Version(f.stat(name))
	return version
}

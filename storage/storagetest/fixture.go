package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"testing"

	"github.com/davd/davd/storage"
)

// fixture is a storage in a test. Its methods fail the test if a check fails. Those that
// belong to one subject are in types of their own, beside its checks.
type fixture struct {
	*base
	copies
	listings
	replaces
	streams
	teamwork
	trees
}

// The subjects of a fixture.
type (
	copies   struct{ *base }
	listings struct{ *base }
	replaces struct{ streams }
	streams  struct{ *base }
	teamwork struct{ *base }
	trees    struct {
		*base
		// required says that the storage must be able to copy and remove whole trees.
		required bool
	}
)

// base has the checks that most subjects use.
type base struct {
	storage.FS
	t   *testing.T
	ctx context.Context //nolint:containedctx // belongs to the test, which lives as long
}

func newFixture(t *testing.T, fsys storage.FS) *fixture {
	t.Helper()
	b := &base{FS: fsys, t: t, ctx: t.Context()}
	return &fixture{b, copies{b}, listings{b}, replaces{streams{b}}, streams{b}, teamwork{b}, trees{base: b}}
}

func (f *base) mkdir(names ...string) {
	f.t.Helper()
	for _, name := range names {
		f.succeeds(f.Mkdir(f.ctx, name, 0o777))
	}
}

func (f *base) write(name, content string) {
	f.t.Helper()
	writeFile(f.t, f.FS, name, content)
}

// open opens name with flag. The file is closed when the test ends, if not before.
func (f *base) open(name string, flag int) storage.File {
	f.t.Helper()
	file, err := f.OpenFile(f.ctx, name, flag, 0o666)
	f.succeeds(err)
	f.t.Cleanup(func() { closeFile(f.t, file) })
	return file
}

// tryOpen returns the error of opening name. If there is no error, it closes the file.
func (f *base) tryOpen(name string, flag int) error {
	f.t.Helper()
	file, err := f.OpenFile(f.ctx, name, flag, 0o666)
	if err == nil {
		closeFile(f.t, file)
	}
	if flag == os.O_RDONLY {
		f.opensToRead(name, err)
	}
	return err
}

// opensToRead checks that storage.OpenRead has the same result for name as OpenFile had, and
// describes the file.
func (f *base) opensToRead(name string, openErr error) {
	f.t.Helper()
	file, info, err := storage.OpenRead(f.ctx, f.FS, name)
	if err != nil || openErr != nil {
		if fmt.Sprint(err) != fmt.Sprint(openErr) {
			f.t.Errorf("OpenRead of %s: %v; OpenFile: %v", name, err, openErr)
		}
		return
	}
	defer closeFile(f.t, file)
	found, err := file.Stat()
	f.succeeds(err)
	if info.Size() != found.Size() || info.Mode() != found.Mode() || !info.ModTime().Equal(found.ModTime()) {
		f.t.Errorf("OpenRead of %s describes %v; the file is %v", name, info, found)
	}
}

func (f *base) stat(name string) fs.FileInfo {
	f.t.Helper()
	info, err := f.Stat(f.ctx, name)
	f.succeeds(err)
	return info
}

// list returns the members of the collection name, by name.
func (f *base) list(name string) map[string]fs.FileInfo {
	f.t.Helper()
	members := map[string]fs.FileInfo{}
	for info, err := range storage.ReadDir(f.ctx, f.FS, name) {
		f.succeeds(err)
		if members[info.Name()] != nil {
			f.t.Errorf("%s lists %q twice", name, info.Name())
		}
		members[info.Name()] = info
	}
	return members
}

func (f *base) succeeds(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// fails checks that err is one of wants, or any error if wants is empty.
func (f *base) fails(err error, wants ...error) {
	f.t.Helper()
	if err == nil {
		f.t.Errorf("no error; want one of %v", wants)
		return
	}
	for _, want := range wants {
		if errors.Is(err, want) {
			return
		}
	}
	if len(wants) > 0 {
		f.t.Errorf("error %q; want one of %v", err, wants)
	}
}

func (f *base) missing(name string) {
	f.t.Helper()
	_, err := f.Stat(f.ctx, name)
	f.fails(err, fs.ErrNotExist)
	f.fails(f.tryOpen(name, os.O_RDONLY), fs.ErrNotExist)
}

// holds checks that the storage contains want and nothing else.
func (f *base) holds(want Tree) {
	f.t.Helper()
	if got := ReadTree(f.t, f.FS, "/"); !maps.Equal(got, want) {
		f.t.Errorf("the storage contains %q\nwant %q", got, want)
	}
}

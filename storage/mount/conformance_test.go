package mount_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/mount"
	"github.com/davd/davd/storage/storagetest"
)

// directory returns a share for the directory dir.
func directory(id, at, dir string) mount.Share {
	return mount.Share{ID: id, At: at, Token: dir, Open: func(_ context.Context, user string) (storage.FS, error) {
		fsys, err := local.Open(filepath.Join(dir, user))
		if err != nil {
			return nil, err
		}
		return fsys, nil
	}}
}

// newFS returns the name space of shares. It is closed when the test ends.
func newFS(t testing.TB, shares ...mount.Share) *mount.FS {
	t.Helper()
	fsys, err := mount.New(shares...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fsys.Close(); err != nil {
			t.Error(err)
		}
	})
	return fsys
}

// TestConformance runs the suite on a share at the root, on one with another share in it, and on
// shares below the root, alone and in another share.
func TestConformance(t *testing.T) {
	for name, test := range map[string]struct {
		at     string
		others map[string]string
	}{
		"root":         {at: "/"},
		"below":        {at: "/some/share"},
		"of users":     {at: "/home/{user}"},
		"inside":       {at: "/in/share", others: map[string]string{"outer": "/"}},
		"with another": {at: "/outer", others: map[string]string{"inner": "/outer/.x/inner"}},
	} {
		t.Run(name, func(t *testing.T) {
			dirs := map[storage.FS]string{}
			deviations := map[string]string{}
			if test.at != "/" {
				deviations["StatRoot"] = "the root of a share has the name of the share"
			}
			storagetest.Suite{
				Deviations: deviations,
				New: func(t *testing.T) storage.FS {
					t.Helper()
					dir := t.TempDir()
					at, user := test.at, ""
					if strings.Contains(at, "{user}") {
						user = "ann"
						at = strings.ReplaceAll(at, "{user}", user)
					}
					if err := os.MkdirAll(filepath.Join(dir, user), 0o777); err != nil {
						t.Fatal(err)
					}
					shares := []mount.Share{directory("tested", test.at, dir)}
					for id, at := range test.others {
						shares = append(shares, directory(id, at, t.TempDir()))
					}
					var fsys storage.FS = newFS(t, shares...)
					switch {
					case test.others["inner"] != "":
						fsys = hiding{below{fsys, at}}
					case at != "/":
						fsys = below{fsys, at}
					}
					dirs[fsys] = filepath.Join(dir, user)
					return fsys
				},
			}.OnDisk(func(_ *testing.T, fsys storage.FS, name string) string { return dirs[fsys] + name }).Run(t)
		})
	}
}

// TestDecorated runs the suite on a storage without capabilities.
func TestDecorated(t *testing.T) {
	storagetest.TestRequired(t, func(t *testing.T) storage.FS {
		t.Helper()
		dir := t.TempDir()
		return below{newFS(t, mount.Share{ID: "plain", At: "/plain", Open: func(context.Context, string) (storage.FS, error) {
			return webdav.Dir(dir), nil
		}}), "/plain"}
	})
}

// hiding is a collection with the place of another share, without that member.
type hiding struct{ below }

func (h hiding) List(ctx context.Context, name string) (storage.Listing, error) {
	l, err := h.below.List(ctx, name)
	if err != nil || name != "/" {
		return l, err
	}
	return hidingListing{l}, nil
}

func (h hiding) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	file, err := h.below.OpenFile(ctx, name, flag, perm)
	if err != nil || name != "/" {
		return file, err
	}
	return hidingFile{file}, nil
}

type hidingFile struct{ storage.File }

func (h hidingFile) Readdir(n int) ([]fs.FileInfo, error) {
	infos, err := h.File.Readdir(n)
	var kept []fs.FileInfo
	for _, info := range infos {
		if info.Name() != ".x" {
			kept = append(kept, info)
		}
	}
	return kept, err
}

type hidingListing struct{ storage.Listing }

func (h hidingListing) Next(ctx context.Context) (storage.Members, error) {
	found, err := h.Listing.Next(ctx)
	if found == nil {
		return nil, err
	}
	return hidingMembers{found}, err
}

type hidingMembers struct{ storage.Members }

func (h hidingMembers) Describe(ctx context.Context, from, to int, dst []storage.Entry) []storage.Entry {
	for _, each := range h.Members.Describe(ctx, from, to, nil) {
		if each.Name != ".x" {
			dst = append(dst, each)
		}
	}
	return dst
}

// below is the collection at of an FS. Errors have the names in it.
type below struct {
	of storage.FS
	at string
}

func (b below) in(name string) string {
	if name == "/" {
		return b.at
	}
	return b.at + storage.Clean(name)
}

func (b below) out(name string) string {
	rest, ok := strings.CutPrefix(name, b.at)
	if !ok {
		return "not in the share: " + name
	}
	if rest == "" {
		return "/"
	}
	return rest
}

func (b below) failed(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		e.Path = b.out(e.Path)
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		e.Old, e.New = b.out(e.Old), b.out(e.New)
	}
	return err
}

func (b below) named(name string, info fs.FileInfo) fs.FileInfo {
	if name == "/" && info != nil {
		return storage.Named(info, "/")
	}
	return info
}

func (b below) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	return b.failed(b.of.Mkdir(ctx, b.in(name), perm))
}

func (b below) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	file, err := b.of.OpenFile(ctx, b.in(name), flag, perm)
	return file, b.failed(err)
}

func (b below) RemoveAll(ctx context.Context, name string) error {
	return b.failed(b.of.RemoveAll(ctx, b.in(name)))
}

func (b below) Rename(ctx context.Context, oldName, newName string) error {
	return b.failed(b.of.Rename(ctx, b.in(oldName), b.in(newName)))
}

func (b below) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := b.of.Stat(ctx, b.in(name))
	return b.named(name, info), b.failed(err)
}

func (b below) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := storage.Lstat(ctx, b.of, b.in(name))
	return b.named(name, info), b.failed(err)
}

func (b below) List(ctx context.Context, name string) (storage.Listing, error) {
	l, err := storage.List(ctx, b.of, b.in(name))
	return l, b.failed(err)
}

func (b below) Canonical(ctx context.Context, name string, follow bool) (storage.Canon, error) {
	c, err := storage.Canonical(ctx, b.of, b.in(name), follow)
	if err != nil {
		return c, b.failed(err)
	}
	c.Name, c.Key = b.out(c.Name), b.out(c.Key)
	for i := range c.Links {
		c.Links[i] = b.out(c.Links[i])
	}
	return c, nil
}

func (b below) SetTimes(ctx context.Context, name string, modified time.Time) error {
	return b.failed(storage.SetTimes(ctx, b.of, b.in(name), modified))
}

func (b below) ReadDeadProps(ctx context.Context, name string) (map[xml.Name]webdav.Property, error) {
	props, err := storage.ReadDeadProps(ctx, b.of, b.in(name))
	return props, b.failed(err)
}

func (b below) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	begun, err := storage.ReplaceFile(ctx, b.of, b.in(name), r)
	if err != nil {
		return nil, b.failed(err)
	}
	return belowReplacement{begun, b}, nil
}

type belowReplacement struct {
	storage.Replacement
	b below
}

func (r belowReplacement) Write(p []byte) (int, error) {
	n, err := r.Replacement.Write(p)
	return n, r.b.failed(err)
}

func (r belowReplacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	info, err := r.Replacement.Commit(ctx, p)
	return info, r.b.failed(err)
}

func (r belowReplacement) Keep(ctx context.Context, sync storage.Sync) error {
	return r.b.failed(storage.Keep(ctx, r.Replacement, sync))
}

func (b below) Space(ctx context.Context, name string) (used, available int64, err error) {
	used, available, err = storage.Space(ctx, b.of, b.in(name))
	return used, available, b.failed(err)
}

func (b below) RenameWith(ctx context.Context, r storage.Renaming) error {
	r.Old, r.New = b.in(r.Old), b.in(r.New)
	if into, ok := r.Into.(below); ok {
		r.Into = into.of
	}
	return b.failed(storage.RenameWith(ctx, b.of, r))
}

func (b below) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	c.From, c.To = b.in(c.From), b.in(c.To)
	if into, ok := c.Into.(below); ok {
		c.Into = into.of
	}
	return b.eachFailed(storage.CopyMembers(ctx, b.of, c))
}

func (b below) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	return b.eachFailed(storage.RemoveMembers(ctx, b.of, b.in(name), members))
}

func (b below) eachFailed(results iter.Seq2[string, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for member, err := range results {
			if !yield(member, b.failed(err)) {
				return
			}
		}
	}
}

func (b below) Hold(ctx context.Context, name string) (storage.Held, error) {
	held, err := storage.Hold(ctx, b.of, b.in(name))
	return held, b.failed(err)
}

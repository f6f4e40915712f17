package tree_test

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/afero"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/aferofs"
	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/tree"
)

// linking is an FS in memory. It lists the files in /src that are called link as
// symbolic links to the collection /target. It creates nothing before open is closed.
type linking struct {
	storage.FS
	open chan struct{}
}

// symlinkInfo describes a link, with the length of its text.
type symlinkInfo struct{ fs.FileInfo }

func (i symlinkInfo) Mode() fs.FileMode { return fs.ModeSymlink | 0o777 }

// followed returns the name that name leads to.
func followed(name string) string {
	if _, below, ok := strings.Cut(name, "/link"); ok && strings.HasPrefix(name, "/src/") {
		return "/target" + below
	}
	return name
}

func (l linking) List(ctx context.Context, name string) (storage.Listing, error) {
	return storagetest.Stream(l.readDir(ctx, name)), nil
}

func (l linking) readDir(ctx context.Context, name string) iter.Seq2[fs.FileInfo, error] {
	return func(yield func(fs.FileInfo, error) bool) {
		for info, err := range storage.ReadDir(ctx, l.FS, followed(name)) {
			if err == nil && info.Name() == "link" {
				info = symlinkInfo{info}
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

func (l linking) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	return l.FS.Stat(ctx, followed(name))
}

func (l linking) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	if flag&os.O_CREATE != 0 {
		<-l.open
	}
	return l.FS.OpenFile(ctx, followed(name), flag, perm)
}

func (l linking) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	members := c.Members
	return func(yield func(string, error) bool) {
		for i, member := range members {
			var err error
			if member.Mode()&fs.ModeSymlink != 0 {
				err = l.copyLink(ctx, c.Target(member))
			} else {
				c.Members = members[i : i+1]
				for _, err = range storage.CopyEach(ctx, l, c) {
					break
				}
			}
			if !yield(member.Name(), err) {
				return
			}
		}
	}
}

func (l linking) copyLink(ctx context.Context, dst string) error {
	file, err := l.OpenFile(ctx, dst, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	return file.Close()
}

// TestCountLinks: the count that runs ahead treats links as the copy does. So the total
// is right before the first member is copied, and at the end.
func TestCountLinks(t *testing.T) {
	const collections, files = 400, 2 // more batches than the queue holds
	for _, links := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			fsys := linking{aferofs.New(afero.NewMemMapFs()), make(chan struct{})}
			source := wide("/src", collections, files)
			for i := range collections {
				source[fmt.Sprintf("/src/%03d/link", i)] = "the text of a link"
			}
			build(t, fsys.FS, source)
			build(t, fsys.FS, many("/target", files))
			members, bytes := int64(1+collections*(1+files+1)), int64(collections*files*len("content"))
			if !links { // Each link counts as /target, whose files have a byte each.
				members, bytes = members+collections*files, bytes+collections*files
			}
			mon := new(tree.Monitor)
			mon.Snapshot()
			copied := make(chan error)
			go func() {
				copied <- tree.Engine{FS: fsys, CopyLinks: links}.Copy(t.Context(), "/src", "/dst", tree.Infinite, mon)
			}()
			// By now each pause of the count is over.
			time.Sleep(time.Hour)
			if before := mon.Snapshot(); before.Known != members || before.KnownBytes != bytes || before.Bytes != 0 {
				t.Errorf("links: %t; before the first is copied %+v, want %d members, %d bytes", links, before, members, bytes)
			}
			close(fsys.open)
			noError(t, <-copied)
			exact(t, mon, members, bytes)
		})
	}
}

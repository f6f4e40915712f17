package intercept

import (
	"context"
	"encoding/xml"
	"io/fs"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// Through forwards the capabilities that neither add nor remove nor rename content. A decorator
// that is only about those embeds it, and doesn't lose the others.
type Through struct{ storage.FS }

// Lstat implements storage.Lstater, and so on for the methods below.
func (t Through) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return storage.Lstat(ctx, t.FS, name)
}

// List forwards.
func (t Through) List(ctx context.Context, name string) (storage.Listing, error) {
	return storage.List(ctx, t.FS, name)
}

// ListShown forwards.
func (t Through) ListShown(ctx context.Context, name string) (storage.Listing, error) {
	return storage.ListShown(ctx, t.FS, name)
}

// OpenRead forwards.
func (t Through) OpenRead(ctx context.Context, name string) (storage.File, fs.FileInfo, error) {
	return storage.OpenRead(ctx, t.FS, name)
}

// Canonical forwards.
func (t Through) Canonical(ctx context.Context, name string, follow bool) (storage.Canon, error) {
	return storage.Canonical(ctx, t.FS, name, follow)
}

// CheckRemoval forwards.
func (t Through) CheckRemoval(ctx context.Context, name string) error {
	return storage.CheckRemoval(ctx, t.FS, name)
}

// Pin forwards.
func (t Through) Pin(ctx context.Context) (pinned context.Context, release func()) {
	return storage.Pin(ctx, t.FS)
}

// SetTimes forwards.
func (t Through) SetTimes(ctx context.Context, name string, modified time.Time) error {
	return storage.SetTimes(ctx, t.FS, name, modified)
}

// ReadDeadProps forwards.
func (t Through) ReadDeadProps(ctx context.Context, name string) (map[xml.Name]webdav.Property, error) {
	return storage.ReadDeadProps(ctx, t.FS, name)
}

package aferofs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/davd/davd/storage"
)

// ReplaceFile begins a file that replaces name completely or not at all, if the backend
// renames in one step, as MemMapFs and the filesystems below OsFs do. Until Commit it
// has a reserved name. The new file keeps the permission bits of the old one and, on an
// OsFs, its POSIX ACL; owner, group and other attributes are lost. A patch copies the
// whole old content first.
func (f *FS) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	if _, ok := backendName(name); !ok {
		return nil, at("replacefile", name, fs.ErrInvalid)
	}
	stager := &stager{FS: f}
	begun, err := storage.StageFile(ctx, stager, name, r)
	if err != nil {
		return nil, err
	}
	return &replacement{begun, stager}, nil
}

// replacement is a storage.Replacement whose files are those of stager.
type replacement struct {
	storage.Replacement
	stager *stager
}

// Commit gives the file its name. Between the last check and that, no other call
// creates, removes or renames anything. p.Check runs earlier and may use the FS.
func (r *replacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	r.stager.create = p.Create
	return r.Replacement.Commit(ctx, p)
}

// Keep implements storage.Keeper.
func (r *replacement) Keep(ctx context.Context, sync storage.Sync) error {
	return storage.Keep(ctx, r.Replacement, sync)
}

// ReadFrom lets the kernel copy if the backend's file is an *os.File.
func (r *replacement) ReadFrom(src io.Reader) (int64, error) { return io.Copy(r.Replacement, src) }

// stager is an FS for storage.StageFile, with stricter checks.
type stager struct {
	*FS
	create bool // Rename must not replace a file.
}

// Lstat returns fs.ErrPermission for a link, which a staged file must not replace.
func (s *stager) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	info, err := s.FS.Lstat(ctx, name)
	if err == nil && offLimits(info) {
		err = fs.ErrPermission
	}
	return info, err
}

// Rename puts the file stage in place, with the permissions of the file that it replaces.
func (s *stager) Rename(_ context.Context, stage, name string) error {
	stage, _ = backendName(stage)
	name, _ = backendName(name)
	defer s.order.changing()()
	old, err := s.findEntry(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = s.hasParent(name)
	case err == nil && s.create:
		return fs.ErrExist
	case err == nil:
		err = errors.Join(writable(old, os.O_RDWR), s.chmod(stage, old.Mode().Perm()))
	}
	if err == nil {
		err = s.fs.Rename(stage, name)
	}
	return cause(err)
}

// chmod gives full the permissions perm, if it has others.
func (s *stager) chmod(full string, perm fs.FileMode) error {
	info, err := s.findEntry(full)
	if err != nil || info.Mode().Perm() == perm {
		return err
	}
	return s.fs.Chmod(full, perm)
}

// StageName returns the reserved name that the content has before the commit.
func (r *replacement) StageName() string {
	return storage.StageName(r.Replacement)
}

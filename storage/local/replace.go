package local

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/davd/davd/storage"
)

// replacement implements storage.Replacement.
type replacement struct {
	fsys        *FS
	name, local string
	stage       stage // nil after Commit and Discard
	base        storage.PatchBase
	room        room
	// was are the permission bits of the existing file at the start; 0 if there was none.
	was fs.FileMode
	// perm are the permission bits of a new file.
	perm fs.FileMode
	// canonical says that no symbolic link may be on the way.
	canonical bool
	// kept says that an error at the start leaves the stage.
	kept bool
	// spot is the spot found at the start, if the commit follows immediately;
	// otherwise nil.
	spot *spot
}

// stage holds the content of a replacement until the commit.
type stage interface {
	io.Writer

	// file returns the file, open for writing.
	file() *os.File
	// fd returns the descriptor of the file.
	fd() int

	// place gives the file the name of the spot, as p requires, and describes it. If
	// the spot was empty but a file has appeared there, it returns syscall.EEXIST.
	place(f *FS, s *spot, p storage.Placing) (fs.FileInfo, error)

	// discard closes the stage and removes the file unless place has succeeded.
	discard() error
}

// ReplaceFile starts a new version of the file name, which appears complete or not at all.
// On Linux, if the filesystem supports O_TMPFILE, the new file has no name until the commit,
// so it vanishes if the process dies. Replacing a file then gives it a reserved name for a
// moment. On other systems and filesystems it has a reserved name from the start. [FS.Sweep]
// removes the names that a killed process left behind.
//
// ReplaceFile follows a symbolic link that stays inside, as OpenFile does: it replaces or
// creates the target and keeps the link. A file that can't be opened for writing can't be
// replaced. The result is a new file. It keeps the permission bits of the old one and, if
// the process may set them, its owner and group. It doesn't keep hard links, extended
// attributes and set-ID bits. If it can't keep the group, the new group gets no more rights
// than others have.
//
// On Linux the new file keeps the POSIX ACL. If the ACL can't be set, the owning group gets
// the rights that the ACL gave it, instead of the ACL's mask, which the permission bits
// contain. If the ACL can't be read, the group gets no rights. On other systems ACLs are
// lost.
//
// On Linux a patch also keeps the extended attributes of the namespace user, and shares the
// blocks of the old file if the filesystem can do that (FICLONE: btrfs, XFS). Otherwise it
// copies all of the old content.
func (f *FS) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	local, err := started(ctx, "replacefile", name, fs.ErrInvalid)
	if err != nil {
		return nil, err
	}
	if err := r.CheckKept(); err != nil {
		return nil, f.failed("replacefile", name, err, writing)
	}
	for look := 1; ; look++ {
		begun := &replacement{fsys: f, name: name, local: local, canonical: r.Canonical}
		err := begun.start(ctx, r)
		if err == nil {
			return begun, nil
		}
		// The file may have been removed between two calls. Then its spot is empty now.
		if look == looks || !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
}

// looks is how often the spot is looked at, if it changes at the same moment.
const looks = 3

// start finds the spot and creates the stage.
func (r *replacement) start(ctx context.Context, how storage.Replacing) error {
	s, err := r.find(ctx)
	if err != nil {
		return r.failed(err)
	}
	if err := r.begin(ctx, s, how); err != nil {
		s.close()
		return err
	}
	if how.Brief {
		r.spot = s
	} else {
		s.close()
	}
	return nil
}

// find returns the spot. If a symbolic link has appeared on the way to a canonical name, it
// returns storage.ErrRedirected.
func (r *replacement) find(ctx context.Context) (*spot, error) {
	if !r.canonical {
		return r.fsys.spot(r.local)
	}
	if s, err := r.fsys.spotAtOnce(r.local); s != nil || err != nil {
		return s, err
	}
	canon, err := r.fsys.Canonical(ctx, r.name, true)
	if err != nil {
		return nil, err
	}
	if canon.Name != storage.Clean(r.name) {
		return nil, storage.ErrRedirected
	}
	// Either there is no link, or LinksFollow lets it lead out of the directory.
	return r.fsys.spot(r.local)
}

// begin creates the stage for s.
func (r *replacement) begin(ctx context.Context, s *spot, how storage.Replacing) error {
	if how.Check != nil {
		if err := how.Check(s.old); err != nil {
			return err
		}
	}
	offset := int64(0)
	var err error
	if how.Patch != nil {
		if offset, err = how.Patch(s.old); err != nil {
			return err
		}
	}
	perm := how.Perm.Perm()
	r.perm = perm
	if s.old != nil {
		perm = s.old.Mode().Perm()
		r.was = perm
	}
	if how.Kept != "" {
		offset = how.From
		r.stage, err = r.fsys.keptStage(s, r.local, perm, how)
		r.kept = true
	} else {
		r.stage, err = r.fsys.newStage(s, r.local, perm)
	}
	if err == nil && how.Patch != nil && s.old != nil {
		r.base = storage.NewPatchBase(s.old)
		err = r.fsys.patch(ctx, r.stage, s, r.base, offset)
	}
	if err == nil && how.Size > 0 {
		r.room, err = newRoom(r.stage.fd(), offset, how.Size)
	}
	if err != nil {
		return errors.Join(r.failed(err), r.abandon())
	}
	return nil
}

// abandon ends the replacement after an error at the start.
func (r *replacement) abandon() error {
	if r.kept && r.stage != nil {
		return r.Keep(context.Background(), storage.SyncNever)
	}
	return r.Discard()
}

// Keep implements storage.Keeper.
func (r *replacement) Keep(_ context.Context, sync storage.Sync) error {
	if r.stage == nil {
		return r.failed(fs.ErrClosed)
	}
	s, ok := r.stage.(*named)
	if !ok || !r.kept {
		return errors.Join(r.failed(errors.ErrUnsupported), r.Discard())
	}
	var err error
	if sync.Content() {
		err = syncContent(s.file())
	}
	err = errors.Join(err, s.leave())
	r.stage = nil
	if r.spot != nil {
		r.spot.close()
		r.spot = nil
	}
	return r.failed(err)
}

// groupAsOthers returns perm for a file whose group has changed: the new group gets no more
// access than others.
func groupAsOthers(perm fs.FileMode) fs.FileMode { return perm&^0o070 | perm&0o070&(perm<<3) }

func (r *replacement) failed(err error) error {
	return r.fsys.failed("replacefile", r.name, err, writing)
}

// Write implements io.Writer.
func (r *replacement) Write(p []byte) (int, error) {
	if r.stage == nil {
		return 0, r.failed(fs.ErrClosed)
	}
	if err := r.room.take(r.stage, int64(len(p))); err != nil {
		return 0, r.failed(err)
	}
	n, err := r.stage.Write(p)
	return n, r.failed(err)
}

// ReadFrom lets the kernel copy if it can.
func (r *replacement) ReadFrom(src io.Reader) (int64, error) {
	if r.stage == nil {
		return 0, r.failed(fs.ErrClosed)
	}
	if err := r.room.takeAll(r.stage); err != nil {
		return 0, r.failed(err)
	}
	n, err := r.stage.file().ReadFrom(src)
	// Any other error comes from src and needs no name.
	if _, own := errors.AsType[*fs.PathError](err); own {
		err = r.failed(err)
	}
	return n, err
}

// Commit implements storage.Replacement.
func (r *replacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	if r.stage == nil {
		return nil, r.failed(fs.ErrClosed)
	}
	var info fs.FileInfo
	err := ctx.Err()
	if err != nil {
		err = r.failed(err)
	} else {
		p.Modified = storage.Modified(p.Modified)
		p.Sync = cmp.Or(p.Sync, r.fsys.sync)
		info, err = r.commit(ctx, p)
	}
	if discardErr := r.Discard(); err != nil {
		return nil, errors.Join(err, discardErr)
	}
	return info, nil
}

// commit puts the content in place. It retries if a file has just appeared in an empty spot.
func (r *replacement) commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	for look := 1; ; look++ {
		if r.spot == nil {
			// Find the spot again, because the way may have changed since the start.
			var err error
			if r.spot, err = r.find(ctx); err != nil {
				return nil, r.failed(err)
			}
		}
		info, err := r.put(p)
		if look == looks || !errors.Is(err, syscall.EEXIST) || p.Create {
			return info, err
		}
		r.spot.close()
		r.spot = nil
	}
}

// put puts the content in its spot.
func (r *replacement) put(p storage.Placing) (fs.FileInfo, error) {
	s := r.spot
	if p.Create && (s.old != nil || s.linked) {
		return nil, r.failed(fs.ErrExist) // If old is nil, a dangling link exists.
	}
	if p.Check != nil {
		if err := p.Check(s.old); err != nil {
			return nil, err
		}
	}
	err := r.base.Check(s.old)
	switch {
	case err != nil:
	case s.old != nil:
		err = keep(r.stage.fd(), s)
	case r.was != 0:
		// The old file has been removed, so its group's rights don't apply any more.
		err = r.stage.file().Chmod(groupAsOthers(r.was))
	case r.fsys.owned != nil:
		err = r.fsys.own(r.stage.file(), s.path, r.perm)
	}
	if err != nil {
		return nil, r.failed(err)
	}
	info, err := r.stage.place(r.fsys, s, p)
	if err != nil {
		return nil, r.failed(err)
	}
	if s.old == nil {
		r.fsys.touch(s)
	}
	if p.Sync == storage.SyncAlways {
		if err := r.fsys.syncHolder(s); err != nil {
			return nil, r.failed(err)
		}
	}
	return info, nil
}

// Discard implements storage.Replacement.
func (r *replacement) Discard() error {
	if r.spot != nil {
		r.spot.close()
		r.spot = nil
	}
	if r.stage == nil {
		return nil
	}
	err := r.stage.discard()
	r.stage = nil
	return r.failed(err)
}

// StageName returns the reserved name that the content has before the commit, or "" if it has
// none. On Linux it has none on most filesystems.
func (r *replacement) StageName() string {
	if s, ok := r.stage.(*named); ok && s.name != "" {
		return path.Join(path.Dir(storage.Clean(r.name)), s.name)
	}
	return ""
}

package local

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/davd/davd/storage"
)

// replacement is a storage.Replacement.
type replacement struct {
	fsys        *FS
	name, local string
	stage       stage // nil after Commit and Discard
	base        storage.PatchBase
	room        room
	// was are the permission bits of the file that it began to replace; 0: of none.
	was fs.FileMode
	// canonical: no symbolic link may be on the way.
	canonical bool
	// spot is what was found when it began, kept for a commit that follows at
	// once; else nil.
	spot *spot
}

// stage is where the content of a replacement waits.
type stage interface {
	io.Writer

	// file is the file, to be written.
	file() *os.File
	// fd is its descriptor.
	fd() int

	// place makes the file that of the spot, as p says, and describes it. It is
	// syscall.EEXIST when the spot was empty and something is there.
	place(f *FS, s *spot, p storage.Placing) (fs.FileInfo, error)

	// discard ends the use of the stage and, unless it has its place, the file.
	discard() error
}

// ReplaceFile begins a file that will be at name whole or not at all. On Linux
// it has no name until then, where the filesystem can do that (O_TMPFILE), and
// vanishes with the process; elsewhere, it has a reserved one, and so it has for a
// moment when it takes the place of another. Those that a kill leaves, [FS.Sweep]
// removes.
//
// A symbolic link that stays inside is followed, as OpenFile does: its target
// is replaced or made, the link stays. What can't be opened to write can't be
// replaced. The file is a new one: it keeps the permission bits of the old one
// and, where the process may set them, owner and group, but not its other names
// (hard links), its extended attributes, and the set-user-ID bits. If the group
// can't be kept, it gets no more rights than all others.
//
// On Linux it keeps a POSIX ACL. Where that can't be given, the owning group has
// the rights that the ACL gave it, and not those of the mask that stands in its place
// in the permission bits; where it can't be read, none. Elsewhere ACLs are not kept.
//
// A patch keeps the extended attributes of the user, too. On Linux it shares the
// blocks of the old file where the filesystem does that (FICLONE: btrfs, XFS);
// elsewhere all of the old content is copied, in the kernel.
func (f *FS) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	local, ok := localName(name)
	if !ok {
		return nil, &fs.PathError{Op: "replacefile", Path: name, Err: fs.ErrInvalid}
	}
	begun := &replacement{fsys: f, name: name, local: local, canonical: r.Canonical}
	s, err := begun.find(ctx)
	if err != nil {
		return nil, begun.failed(err)
	}
	if err := begun.begin(ctx, s, r); err != nil {
		s.close()
		return nil, err
	}
	if r.Brief {
		begun.spot = s
	} else {
		s.close()
	}
	return begun, nil
}

// find finds the spot. A canonical name that has got a link on its way is
// storage.ErrRedirected.
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
	// There is no link, or it leads out of the directory by the operator's leave.
	return r.fsys.spot(r.local)
}

// begin opens the stage for s.
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
	if s.old != nil {
		perm = s.old.Mode().Perm()
		r.was = perm
	}
	r.stage, err = r.fsys.newStage(s, r.local, perm)
	if err == nil && how.Patch != nil && s.old != nil {
		r.base = storage.NewPatchBase(s.old)
		err = r.fsys.patch(ctx, r.stage, s, r.base, offset)
	}
	if err == nil && how.Size > 0 {
		r.room, err = newRoom(r.stage.fd(), offset, how.Size)
	}
	if err != nil {
		return errors.Join(r.failed(err), r.Discard())
	}
	return nil
}

// groupAsOthers is perm for another group than that which had it.
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

// ReadFrom has the kernel copy, where it can.
func (r *replacement) ReadFrom(src io.Reader) (int64, error) {
	if r.stage == nil {
		return 0, r.failed(fs.ErrClosed)
	}
	if err := r.room.takeAll(r.stage); err != nil {
		return 0, r.failed(err)
	}
	n, err := r.stage.file().ReadFrom(src)
	// Any other error is src's own, which the caller knows best.
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = r.failed(err)
	}
	return n, err
}

// Commit makes it the file name.
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
		info, err = r.commit(ctx, p)
	}
	if discardErr := r.Discard(); err != nil {
		return nil, errors.Join(err, discardErr)
	}
	return info, nil
}

// commit looks once more when something has just appeared where nothing was.
func (r *replacement) commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	const looks = 3
	for look := 1; ; look++ {
		if r.spot == nil {
			// Anew: the way may have changed since it began.
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

// put puts it in its spot.
func (r *replacement) put(p storage.Placing) (fs.FileInfo, error) {
	s := r.spot
	if p.Create && (s.old != nil || s.linked) {
		return nil, r.failed(fs.ErrExist) // It may be a link to nothing.
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
		// It is gone, and with it what its group's bits meant.
		err = r.stage.file().Chmod(groupAsOthers(r.was))
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

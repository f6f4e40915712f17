package mount

import (
	"context"
	"encoding/xml"
	"errors"
	"io/fs"
	"iter"
	"path"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

var _ interface {
	storage.Canonicaler
	storage.Copier
	storage.DeadPropsReader
	storage.Divider
	storage.FileReplacer
	storage.Holder
	storage.Lister
	storage.Lstater
	storage.Pinner
	storage.Rationer
	storage.ReadOpener
	storage.RemovalChecker
	storage.Remover
	storage.Renamer
	storage.ShownLister
	storage.Spacer
	storage.TimeSetter
	storage.Transactor
	storage.TreeCopier
	storage.TreeRemover
} = (*FS)(nil)

// Canonical implements storage.Canonicaler. The Key of a name in a share is the share's name,
// followed by the Key in the storage.
func (f *FS) Canonical(ctx context.Context, name string, follow bool) (storage.Canon, error) {
	at, err := f.target(ctx, "canonical", name)
	if err != nil {
		return storage.Canon{}, err
	}
	defer at.release()
	switch {
	case at.in == nil, at.node != nil && !at.root():
		return storage.Canon{Name: at.full, Key: at.full}, nil
	case at.hidden:
		return storage.Canon{}, &fs.PathError{Op: "canonical", Path: name, Err: fs.ErrNotExist}
	}
	canon, err := storage.Canonical(ctx, at.in.fsys, at.name, follow)
	if err != nil {
		return storage.Canon{}, at.failed(err)
	}
	if canon.Name != at.name && f.elsewhere(ctx, at, canon) {
		return storage.Canon{}, &fs.PathError{Op: "canonical", Path: name, Err: fs.ErrNotExist}
	}
	if at.at == "" {
		return canon, nil
	}
	canon.Name, canon.Key = at.out(canon.Name), at.outKey(canon.Key)
	links := make([]string, len(canon.Links))
	for i, link := range canon.Links {
		links[i] = at.outKey(link)
	}
	if canon.Links != nil {
		canon.Links = links
	}
	return canon, nil
}

// elsewhere reports whether a link has led to a name of the storage that can't be reached,
// because another share is mounted there.
func (f *FS) elsewhere(ctx context.Context, at target, canon storage.Canon) bool {
	if storage.Contains(storage.OutsideKey, canon.Key) {
		return false
	}
	to := f.tableOf(f.pinOf(ctx)).find(at.out(canon.Name))
	return to.share != at.share || to.user != at.user || to.hidden
}

// outKey is out for a Key. Keys outside a storage name places of the server's disk.
func (s *spot) outKey(key string) string {
	if storage.Contains(storage.OutsideKey, key) {
		return key
	}
	return s.out(key)
}

// SetTimes implements storage.TimeSetter.
func (f *FS) SetTimes(ctx context.Context, name string, modified time.Time) error {
	at, err := f.below(ctx, "settimes", name)
	if err != nil {
		return err
	}
	defer at.release()
	if at.in == nil {
		return &fs.PathError{Op: "settimes", Path: name, Err: fs.ErrPermission}
	}
	return at.failed(storage.SetTimes(ctx, at.in.fsys, at.name, modified))
}

// ReadDeadProps implements storage.DeadPropsReader.
func (f *FS) ReadDeadProps(ctx context.Context, name string) (map[xml.Name]webdav.Property, error) {
	at, err := f.below(ctx, "readdeadprops", name)
	if err != nil {
		return nil, err
	}
	defer at.release()
	if at.node != nil && !at.root() {
		return nil, nil
	}
	props, err := storage.ReadDeadProps(ctx, at.in.fsys, at.name)
	return props, at.failed(err)
}

// Space implements storage.Spacer. A collection that belongs to no share has no space.
func (f *FS) Space(ctx context.Context, name string) (used, available int64, err error) {
	at, err := f.below(ctx, "space", name)
	if err != nil {
		return 0, 0, err
	}
	defer at.release()
	if at.in == nil {
		return 0, 0, &fs.PathError{Op: "space", Path: name, Err: errors.ErrUnsupported}
	}
	used, available, err = storage.Space(ctx, at.in.fsys, at.name)
	return used, available, at.failed(err)
}

// Part implements storage.Divider. The parts are the shares, with one for each user.
func (f *FS) Part(ctx context.Context, name string) string {
	at := f.tableOf(f.pinOf(ctx)).find(name)
	return at.at
}

// Rationed implements storage.Rationer.
func (f *FS) Rationed(ctx context.Context, name string) bool {
	at, err := f.below(ctx, "space", name)
	if err != nil {
		return false
	}
	defer at.release()
	return at.in != nil && storage.Rationed(ctx, at.in.fsys, at.name)
}

// CheckRemoval implements storage.RemovalChecker.
func (f *FS) CheckRemoval(ctx context.Context, name string) error {
	at, err := f.target(ctx, "remove", name)
	if err != nil {
		return err
	}
	defer at.release()
	if at.node != nil || at.in == nil || at.hidden {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrPermission}
	}
	return at.failed(storage.CheckRemoval(ctx, at.in.fsys, at.name))
}

// RemoveMembers implements storage.Remover.
func (f *FS) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		at, err := f.below(ctx, "remove", name)
		if err != nil {
			yieldAll(name, members, err, yield)
			return
		}
		defer at.release()
		if at.node != nil && (at.in == nil || at.node.leads()) {
			f.removeEach(ctx, name, members, yield)
			return
		}
		for member, err := range storage.RemoveMembers(ctx, at.in.fsys, at.name, members) {
			if !yield(member, at.failed(err)) {
				return
			}
		}
	}
}

// yieldAll yields err, which concerns the collection name, for each member.
func yieldAll(name string, members []string, err error, yield func(string, error) bool) {
	for _, member := range members {
		if !yield(member, &fs.PathError{Op: "remove", Path: path.Join(name, member), Err: storage.Cause(err)}) {
			return
		}
	}
}

// removeEach removes members of a collection with shares among them.
func (f *FS) removeEach(ctx context.Context, name string, members []string, yield func(string, error) bool) {
	for _, member := range members {
		full := path.Join(name, member)
		at, err := f.inside(ctx, "remove", full, false)
		if err == nil {
			err = at.failed(storage.Remove(ctx, at.in.fsys, at.name))
			at.release()
		}
		if !yield(member, err) {
			return
		}
	}
}

// RenameWith implements storage.Renamer. It returns syscall.EXDEV for names in two shares whose
// storages can't rename between each other.
func (f *FS) RenameWith(ctx context.Context, r storage.Renaming) error {
	from, err := f.inside(ctx, "rename", r.Old, false)
	if err != nil {
		return r.Failed(storage.Cause(err))
	}
	defer from.release()
	if r.Into != nil && r.Into != storage.FS(f) {
		return failedBetween(storage.RenameWith(ctx, from.in.fsys, storage.Renaming{
			Old: from.name, New: r.New, Into: r.Into, Swap: r.Swap, Vacant: r.Vacant,
		}), &from.spot, &spot{})
	}
	to, err := f.inside(ctx, "rename", r.New, !r.Swap)
	if err != nil {
		return r.Failed(storage.Cause(err))
	}
	defer to.release()
	inner := storage.Renaming{Old: from.name, New: to.name, Swap: r.Swap, Vacant: r.Vacant}
	switch {
	case from.in != to.in:
		if strings.HasPrefix(to.full, from.full+"/") || strings.HasPrefix(from.full, to.full+"/") {
			return r.Failed(fs.ErrInvalid)
		}
		inner.Into = to.in.fsys
		err = storage.RenameWith(ctx, from.in.fsys, inner)
		if errors.Is(err, errors.ErrUnsupported) && !r.Swap {
			err = inner.Failed(syscall.EXDEV)
		}
	case r.Swap || r.Vacant:
		err = storage.RenameWith(ctx, from.in.fsys, inner)
	default:
		err = from.in.fsys.Rename(ctx, inner.Old, inner.New)
	}
	return failedBetween(err, &from.spot, &to.spot)
}

// Hold implements storage.Holder.
func (f *FS) Hold(ctx context.Context, name string) (storage.Held, error) {
	at, err := f.below(ctx, "hold", name)
	if err != nil {
		return nil, err
	}
	defer at.release()
	if at.in == nil {
		return nil, &fs.PathError{Op: "hold", Path: name, Err: errors.ErrUnsupported}
	}
	held, err := storage.Hold(ctx, at.in.fsys, at.name)
	if err != nil {
		return nil, at.failed(err)
	}
	at.in.refs.Add(1)
	return &keptHeld{Held: held, in: at.in}, nil
}

// keptHeld is a held collection that keeps its storage open.
type keptHeld struct {
	storage.Held
	in *opened
}

func (h *keptHeld) Close() error {
	defer h.in.release()
	return h.Held.Close()
}

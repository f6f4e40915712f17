package access

import (
	"context"
	"encoding/xml"
	"io/fs"
	"os"
	"path"
	"sync/atomic"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// FS is an FS as its policy allows each principal to use it. It has all capabilities of the FS
// inside.
type FS struct {
	storage.FS
	policy atomic.Pointer[Policy]
	// coming is the policy that Change is about to set. It restricts principals too.
	coming atomic.Pointer[Policy]
}

// New returns fsys, restricted by policy.
func New(fsys storage.FS, policy *Policy) *FS {
	a := &FS{FS: fsys}
	a.policy.Store(policy)
	return a
}

// SetPolicy replaces the policy. Each call that begins later obeys the new one.
func (a *FS) SetPolicy(policy *Policy) { a.policy.Store(policy) }

// Policy returns the policy.
func (a *FS) Policy() *Policy { return a.policy.Load() }

// Change calls change, which changes what the FS inside contains, and then sets policy. Meanwhile,
// principals have the rights that both policies give, because a call may meet the FS as it was or
// as it will be. If change returns an error, the policy stays. Only one Change may run at a time.
func (a *FS) Change(policy *Policy, change func() error) error {
	a.coming.Store(policy)
	defer a.coming.Store(nil)
	if err := change(); err != nil {
		return err
	}
	a.SetPolicy(policy)
	return nil
}

// Allowed implements storage.Authorizer.
func (a *FS) Allowed(ctx context.Context, name string, need storage.Right, tree bool) error {
	return a.may(ctx, "access", name, need, tree, !tree)
}

// Mkdir implements storage.FS, like the methods below.
func (a *FS) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	if err := a.mayMake(ctx, "mkdir", name); err != nil {
		return err
	}
	return a.FS.Mkdir(ctx, name, perm)
}

// OpenFile needs the rights that flag stands for. If only the right to create or the right to
// write is missing, it depends on whether the file exists.
func (a *FS) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND) == 0 {
		return a.openRead(ctx, name)
	}
	v, err := a.judgeNew(ctx, name, true)
	if err != nil {
		return nil, err
	}
	if flag, err = a.openFlag(ctx, name, flag, v); err != nil {
		return nil, err
	}
	f, err := a.FS.OpenFile(ctx, name, flag, perm)
	return v.file(name, f), err
}

// openFlag returns the flag for opening a file for writing.
func (a *FS) openFlag(ctx context.Context, name string, flag int, v verdict) (int, error) {
	if v.staged {
		return flag, v.need("open", name, storage.RightCreate)
	}
	need := storage.RightWrite
	if flag&os.O_RDWR != 0 {
		need |= storage.RightRead
	}
	switch creates := flag&os.O_CREATE != 0; {
	case creates && flag&os.O_EXCL != 0:
		return flag, v.need("open", name, storage.RightCreate)
	case !creates || v.own.Has(need|storage.RightCreate):
		return flag, v.need("open", name, need)
	}
	_, err := a.FS.Stat(ctx, name)
	if err == nil {
		return flag &^ os.O_CREATE, v.need("open", name, need)
	}
	return flag | os.O_EXCL, v.need("open", name, storage.RightCreate)
}

// openRead opens name for reading: a file needs RightRead, a collection RightList.
func (a *FS) openRead(ctx context.Context, name string) (storage.File, error) {
	v, err := a.judge(ctx, name, true)
	if err == nil {
		err = v.need("open", name, 0)
	}
	if err != nil {
		return nil, err
	}
	f, err := a.FS.OpenFile(ctx, name, os.O_RDONLY, 0)
	if err != nil || v.own.Has(storage.RightsRead) && v.filters == nil {
		return v.file(name, f), err
	}
	info, err := f.Stat()
	if err == nil {
		err = v.needToOpen(name, info)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return v.file(name, f), nil
}

// OpenRead implements storage.ReadOpener.
func (a *FS) OpenRead(ctx context.Context, name string) (storage.File, fs.FileInfo, error) {
	v, err := a.judge(ctx, name, true)
	if err == nil {
		err = v.need("open", name, 0)
	}
	if err != nil {
		return nil, nil, err
	}
	f, info, err := storage.OpenRead(ctx, a.FS, name)
	if err != nil {
		return nil, nil, err
	}
	if err := v.needToOpen(name, info); err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return v.file(name, f), info, nil
}

// RemoveAll implements storage.FS.
func (a *FS) RemoveAll(ctx context.Context, name string) error {
	if err := a.may(ctx, "removeall", name, storage.RightDelete, true, false); err != nil {
		return err
	}
	return a.FS.RemoveAll(ctx, name)
}

// Stat implements storage.FS. A name whose description says that no link led to it needs no
// further look at the storage.
func (a *FS) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	return a.describe(ctx, "stat", name, true, a.FS.Stat)
}

// Lstat implements storage.Lstater.
func (a *FS) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return a.describe(ctx, "lstat", name, false, func(ctx context.Context, name string) (fs.FileInfo, error) {
		return storage.Lstat(ctx, a.FS, name)
	})
}

func (a *FS) describe(ctx context.Context, op, name string, follow bool, call func(context.Context, string) (fs.FileInfo, error)) (fs.FileInfo, error) {
	q := a.ask(ctx, name, false)
	v := q.spelled()
	if !v.seen {
		return nil, storage.Refused(op, name, true)
	}
	info, err := call(ctx, name)
	if err != nil || v.uniform || storage.Direct(info) {
		return info, err
	}
	if err := q.resolve(ctx, &v, follow); err != nil {
		return nil, err
	}
	if !v.seen {
		return nil, storage.Refused(op, name, true)
	}
	return info, nil
}

// List implements storage.Lister.
func (a *FS) List(ctx context.Context, name string) (storage.Listing, error) {
	return a.list(ctx, name, storage.List)
}

// ListShown implements storage.ShownLister.
func (a *FS) ListShown(ctx context.Context, name string) (storage.Listing, error) {
	return a.list(ctx, name, storage.ListShown)
}

// lister is storage.List or storage.ListShown.
type lister func(ctx context.Context, fsys storage.FS, name string) (storage.Listing, error)

func (a *FS) list(ctx context.Context, name string, list lister) (storage.Listing, error) {
	v, err := a.judge(ctx, name, true)
	if err == nil {
		err = v.need("list", name, storage.RightList)
	}
	if err != nil {
		return nil, err
	}
	l, err := list(ctx, a.FS, name)
	if err != nil || v.filters == nil {
		return l, err
	}
	return filteredListing{l, v.filters}, nil
}

// Canonical implements storage.Canonicaler. It needs no right, because its result decides about
// rights.
func (a *FS) Canonical(ctx context.Context, name string, follow bool) (storage.Canon, error) {
	return storage.Canonical(ctx, a.FS, name, follow)
}

// Hold implements storage.Holder. Members can't be read through the result, and only reserved
// ones can be removed.
func (a *FS) Hold(ctx context.Context, name string) (storage.Held, error) {
	h, err := storage.Hold(ctx, a.FS, name)
	if err != nil {
		return nil, err
	}
	return held{h, name}, nil
}

// SetTimes implements storage.TimeSetter.
func (a *FS) SetTimes(ctx context.Context, name string, modified time.Time) error {
	v, err := a.judgeNew(ctx, name, true)
	if err == nil {
		err = v.needToWrite("settimes", name)
	}
	if err != nil {
		return err
	}
	return storage.SetTimes(ctx, a.FS, name, modified)
}

// ReadDeadProps implements storage.DeadPropsReader.
func (a *FS) ReadDeadProps(ctx context.Context, name string) (map[xml.Name]webdav.Property, error) {
	v, err := a.judge(ctx, name, true)
	if err == nil {
		err = v.need("readdeadprops", name, 0)
	}
	if err == nil && v.own&storage.RightsRead == 0 {
		err = v.need("readdeadprops", name, storage.RightRead)
	}
	if err != nil {
		return nil, err
	}
	return storage.ReadDeadProps(ctx, a.FS, name)
}

// Space implements storage.Spacer.
func (a *FS) Space(ctx context.Context, name string) (used, available int64, err error) {
	if err := a.may(ctx, "space", name, 0, false, true); err != nil {
		return 0, 0, err
	}
	return storage.Space(ctx, a.FS, name)
}

// Part implements storage.Divider. It needs no right, because it only repeats a part of name.
func (a *FS) Part(ctx context.Context, name string) string { return storage.Part(ctx, a.FS, name) }

// Rationed implements storage.Rationer. It needs no right, because it tells nothing of a tree.
func (a *FS) Rationed(ctx context.Context, name string) bool {
	return storage.Rationed(ctx, a.FS, name)
}

// CheckRemoval implements storage.RemovalChecker. It needs no right: that of the removal is
// checked elsewhere.
func (a *FS) CheckRemoval(ctx context.Context, name string) error {
	return storage.CheckRemoval(ctx, a.FS, name)
}

// pinKey is the key of the pin of a context.
type pinKey struct{}

// pin has the policy under which an operation has begun.
type pin struct {
	of     *FS
	policy *Policy
}

// Pin implements storage.Pinner. What it keeps in the FS inside is not what a later policy is
// about: another share may get the name of one that an operation uses. So the operation has only
// rights that the policy of now gives too.
func (a *FS) Pin(ctx context.Context) (pinned context.Context, release func()) {
	if a.pinned(ctx) == nil {
		ctx = context.WithValue(ctx, pinKey{}, pin{a, a.policy.Load()})
	}
	return storage.Pin(ctx, a.FS)
}

// pinned returns the policy of the operation of ctx, or nil.
func (a *FS) pinned(ctx context.Context) *Policy {
	if p, ok := ctx.Value(pinKey{}).(pin); ok && p.of == a {
		return p.policy
	}
	return nil
}

// ReplaceFile implements storage.FileReplacer.
func (a *FS) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	v, err := a.judgeNew(ctx, name, true)
	if err != nil {
		return nil, err
	}
	const both = storage.RightCreate | storage.RightWrite
	if v.staged || v.own&both == 0 {
		if err := v.need("replacefile", name, storage.RightCreate); err != nil {
			return nil, err
		}
	} else if !v.own.Has(both) {
		r.Check = v.checkReplace(name, r.Check)
	}
	if r.Patch != nil {
		if err := v.need("replacefile", name, storage.RightWrite); err != nil {
			return nil, err
		}
	}
	begun, err := storage.ReplaceFile(ctx, a.FS, name, r)
	if err != nil || v.staged || v.own.Has(both) {
		return begun, err
	}
	return replacement{begun, name, v}, nil
}

// held is a held collection whose members clients know can't be removed.
type held struct {
	storage.Held
	name string
}

func (h held) RemoveAll(ctx context.Context, base string) error {
	if !storage.Reserved(base) && !storage.LoginOf(ctx).Unrestricted {
		return storage.Refused("removeall", path.Join(h.name, base), false)
	}
	return h.Held.RemoveAll(ctx, base)
}

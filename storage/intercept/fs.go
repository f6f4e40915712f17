// Package intercept contains a decorator of any storage.FS that sees all its calls, and can
// make them wait or fail.
package intercept

import (
	"context"
	"encoding/xml"
	"io/fs"
	"iter"
	"path"
	"time"

	"golang.org/x/net/webdav"

	"github.com/davd/davd/storage"
)

// New returns fsys with all its capabilities, and with calls of before.
func New(fsys storage.FS, before Before) storage.FS { return &hooked{FS: fsys, before: before} }

type hooked struct {
	storage.FS
	before Before
	// after is nil unless Observe made h. Then before does nothing, and files, listings and
	// replacements are those of FS.
	after After
}

func (h *hooked) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	return h.does(ctx, "mkdir", name, func() error { return h.FS.Mkdir(ctx, name, perm) })
}

func (h *hooked) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (storage.File, error) {
	file, err := do(ctx, h, "open", name, func() (storage.File, error) { return h.FS.OpenFile(ctx, name, flag, perm) })
	if err != nil {
		return nil, err
	}
	if h.after != nil {
		return file, nil
	}
	return newFile(file, h, name), nil
}

func (h *hooked) RemoveAll(ctx context.Context, name string) error {
	return h.does(ctx, "removeall", name, func() error { return h.FS.RemoveAll(ctx, name) })
}

func (h *hooked) Rename(ctx context.Context, oldName, newName string) error {
	return h.does(ctx, "rename", oldName, func() error { return h.FS.Rename(ctx, oldName, newName) })
}

func (h *hooked) Stat(ctx context.Context, name string) (fs.FileInfo, error) {
	return do(ctx, h, "stat", name, func() (fs.FileInfo, error) { return h.FS.Stat(ctx, name) })
}

func (h *hooked) Lstat(ctx context.Context, name string) (fs.FileInfo, error) {
	return do(ctx, h, "lstat", name, func() (fs.FileInfo, error) { return storage.Lstat(ctx, h.FS, name) })
}

func (h *hooked) List(ctx context.Context, name string) (storage.Listing, error) {
	l, err := do(ctx, h, "list", name, func() (storage.Listing, error) { return storage.List(ctx, h.FS, name) })
	if err != nil || h.after != nil {
		return l, err
	}
	return listing{Listing: l, calls: calls{h, name}}, nil
}

func (h *hooked) ListShown(ctx context.Context, name string) (storage.Listing, error) {
	l, err := do(ctx, h, "list", name, func() (storage.Listing, error) { return storage.ListShown(ctx, h.FS, name) })
	if err != nil || h.after != nil {
		return l, err
	}
	return listing{Listing: l, calls: calls{h, name}}, nil
}

func (h *hooked) Canonical(ctx context.Context, name string, follow bool) (storage.Canon, error) {
	defer h.observe("canonical")()
	if err := beforeIf[storage.Canonicaler](ctx, h, "canonical", name); err != nil {
		return storage.Canon{}, err
	}
	return storage.Canonical(ctx, h.FS, name, follow)
}

func (h *hooked) SetTimes(ctx context.Context, name string, modified time.Time) error {
	return h.does(ctx, "settimes", name, func() error { return storage.SetTimes(ctx, h.FS, name, modified) })
}

func (h *hooked) ReadDeadProps(ctx context.Context, name string) (map[xml.Name]webdav.Property, error) {
	return do(ctx, h, "readdeadprops", name, func() (map[xml.Name]webdav.Property, error) { return storage.ReadDeadProps(ctx, h.FS, name) })
}

func (h *hooked) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	if _, ok := h.FS.(storage.FileReplacer); !ok {
		return storage.StageFile(ctx, h, name, r)
	}
	begun, err := do(ctx, h, "replacefile", name, func() (storage.Replacement, error) { return storage.ReplaceFile(ctx, h.FS, name, r) })
	if err != nil || h.after != nil {
		return begun, err
	}
	return replacement{Replacement: begun, calls: calls{h, name}}, nil
}

func (h *hooked) Space(ctx context.Context, name string) (used, available int64, err error) {
	defer h.observe("space")()
	if err := beforeIf[storage.Spacer](ctx, h, "space", name); err != nil {
		return 0, 0, err
	}
	return storage.Space(ctx, h.FS, name)
}

func (h *hooked) RenameWith(ctx context.Context, r storage.Renaming) error {
	if r.Into == nil && !r.Swap {
		return h.does(ctx, "rename", r.Old, func() error { return storage.RenameWith(ctx, h.FS, r) })
	}
	defer h.observe("exchange")()
	err := beforeIf[storage.Renamer](ctx, h, "exchange", r.Old)
	if err == nil {
		err = beforeIf[storage.Renamer](ctx, h, "exchanged", r.New)
	}
	if err != nil {
		return err
	}
	r.Into = inner(r.Into)
	return storage.RenameWith(ctx, h.FS, r)
}

func (h *hooked) CopyMembers(ctx context.Context, c storage.Copying) iter.Seq2[string, error] {
	if _, ok := h.FS.(storage.Copier); !ok {
		return storage.CopyEach(ctx, h, c)
	}
	c.Into = inner(c.Into)
	if h.after != nil {
		return h.observeEach("copymembers", storage.CopyMembers(ctx, h.FS, c))
	}
	return h.eachMember(ctx, h.FS, c, c.Source)
}

// eachMember copies the members one by one, and calls Before with a name of each.
func (h *hooked) eachMember(ctx context.Context, from storage.FS, c storage.Copying, name func(fs.FileInfo) string) iter.Seq2[string, error] {
	members := c.Members
	return func(yield func(string, error) bool) {
		for i, member := range members {
			err := h.before(ctx, "copymembers", name(member))
			if err == nil {
				c.Members = members[i : i+1]
				err = first(storage.CopyMembers(ctx, from, c))
			}
			if !yield(member.Name(), err) {
				return
			}
		}
	}
}

func (h *hooked) ReceiveMembers(ctx context.Context, from storage.FS, c storage.Copying) iter.Seq2[string, error] {
	c.Into = h.FS
	if h.after != nil {
		return h.observeEach("copymembers", storage.CopyMembers(ctx, from, c))
	}
	return h.eachMember(ctx, from, c, c.Target)
}

func (h *hooked) Part(ctx context.Context, name string) string { return storage.Part(ctx, h.FS, name) }

func (h *hooked) Rationed(ctx context.Context, name string) bool {
	return storage.Rationed(ctx, h.FS, name)
}

func (h *hooked) CheckRemoval(ctx context.Context, name string) error {
	return storage.CheckRemoval(ctx, h.FS, name)
}

func (h *hooked) Pin(ctx context.Context) (pinned context.Context, release func()) {
	return storage.Pin(ctx, h.FS)
}

func (h *hooked) RemoveMembers(ctx context.Context, name string, members []string) iter.Seq2[string, error] {
	if h.after != nil {
		return h.observeEach("remove", storage.RemoveMembers(ctx, h.FS, name, members))
	}
	return func(yield func(string, error) bool) {
		for i, member := range members {
			err := h.before(ctx, "remove", path.Join(name, member))
			if err == nil {
				err = first(storage.RemoveMembers(ctx, h.FS, name, members[i:i+1]))
			}
			if !yield(member, err) {
				return
			}
		}
	}
}

func (h *hooked) Hold(ctx context.Context, name string) (storage.Held, error) {
	return do(ctx, h, "hold", name, func() (storage.Held, error) { return storage.Hold(ctx, h.FS, name) })
}

func (h *hooked) Allowed(ctx context.Context, name string, need storage.Right, tree bool) error {
	return storage.Allowed(ctx, h.FS, name, need, tree)
}

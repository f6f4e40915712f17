package objectfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"syscall"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/names"
)

// ReplaceFile begins new content. It goes into a new object, which has no name in the tree. With
// Kept, the content of each Replacement is a part of its own, and the commit puts the parts
// together.
func (f *FS) ReplaceFile(ctx context.Context, name string, r storage.Replacing) (storage.Replacement, error) {
	full, err := started(ctx, name, fs.ErrInvalid)
	if err == nil {
		err = r.CheckKept()
	}
	if err != nil {
		return nil, at("replacefile", name, err)
	}
	n := &replacement{fs: f, asked: name, name: full, perm: r.Perm.Perm(), from: r.From, upload: f.newUpload(context.WithoutCancel(ctx), full)}
	n.upload.modified = r.Modified
	if err := n.begin(ctx, r); err != nil {
		return nil, err
	}
	return n, nil
}

// replacement is content that will replace that of a file.
type replacement struct {
	fs          *FS
	asked, name string
	perm        fs.FileMode
	upload      *upload
	// old is the file at the start, which the commit does not look up again if brief is set.
	old   *names.Node
	brief bool

	// patched is the content that a patch changes, or nil.
	patched *names.Node
	base    storage.PatchBase

	// kept is the name of the parts of the content so far, which ends at from, or "".
	kept string
	from int64

	// ready is the whole content after it has ended.
	ready *names.Content
	ended bool
}

func (n *replacement) failed(err error) error { return at("replacefile", n.asked, err) }

// begin makes the checks. It returns errors of the caller unchanged.
func (n *replacement) begin(ctx context.Context, r storage.Replacing) error {
	if r.Brief && r.Check == nil && r.Patch == nil && r.Kept == "" {
		return nil // The commit looks.
	}
	old, err := n.occupant(ctx)
	if err == nil && old == nil && !r.Brief {
		err = n.hasParent(ctx)
	}
	if err != nil {
		return n.failed(err)
	}
	n.old, n.brief = old, r.Brief
	if r.Check != nil {
		if err := r.Check(n.infoOf(old)); err != nil {
			return err
		}
	}
	if r.Kept != "" {
		n.kept = path.Join(path.Dir(n.name), r.Kept)
		return n.failed(n.fs.cutParts(ctx, n.kept, n.from))
	}
	if r.Patch == nil {
		return nil
	}
	offset, err := r.Patch(n.infoOf(old))
	if err != nil || old == nil {
		return err
	}
	n.patched, n.base = old, storage.NewPatchBase(n.infoOf(old))
	if err := n.copyOld(ctx, 0, offset); err != nil {
		return errors.Join(n.failed(err), n.Discard())
	}
	return nil
}

// occupant returns the file that has the name, or nil.
func (n *replacement) occupant(ctx context.Context) (*names.Node, error) {
	node, err := n.fs.options.Names.Find(ctx, n.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case node.Dir:
		return nil, syscall.EISDIR
	}
	return &node, nil
}

func (n *replacement) hasParent(ctx context.Context) error {
	parent, err := n.fs.options.Names.Find(ctx, path.Dir(n.name))
	if err == nil && !parent.Dir {
		err = fs.ErrNotExist
	}
	return err
}

func (n *replacement) infoOf(node *names.Node) fs.FileInfo {
	if node == nil {
		return nil
	}
	return n.fs.info(*node, n.name)
}

// copyOld copies the content that a patch changes, from an offset to the offset end.
func (n *replacement) copyOld(ctx context.Context, from, end int64) error {
	if from >= end {
		return nil
	}
	in, err := n.fs.contentOf(ctx, n.name, *n.patched)
	if err != nil {
		return err
	}
	defer in.Close()
	if seeker, ok := in.(io.Seeker); ok {
		if _, err := seeker.Seek(from, io.SeekStart); err != nil {
			return err
		}
	}
	_, err = io.CopyN(n.upload, in, end-from)
	return err
}

// Write implements io.Writer.
func (n *replacement) Write(p []byte) (int, error) {
	if n.ended || n.ready != nil {
		return 0, n.failed(fs.ErrClosed)
	}
	written, err := n.upload.Write(p)
	return written, n.failed(err)
}

// StageName returns the name of the parts, or "".
func (n *replacement) StageName() string { return n.kept }

// Prepare ends the content, so that Commit makes only a row.
func (n *replacement) Prepare(ctx context.Context) error {
	if n.ended {
		return n.failed(fs.ErrClosed)
	}
	return n.failed(n.prepare(ctx))
}

func (n *replacement) prepare(ctx context.Context) error {
	if n.ready != nil {
		return nil
	}
	if n.patched != nil {
		if err := n.copyOld(ctx, n.upload.size, n.patched.Size); err != nil {
			return err
		}
	}
	if n.kept != "" && n.from > 0 {
		if err := n.join(ctx); err != nil {
			return err
		}
	}
	content, err := n.upload.finish(ctx)
	if err == nil {
		n.ready = &content
	}
	return err
}

// Commit puts the content in place.
func (n *replacement) Commit(ctx context.Context, p storage.Placing) (fs.FileInfo, error) {
	if n.ended {
		return nil, n.failed(fs.ErrClosed)
	}
	err := ctx.Err()
	if err == nil {
		err = n.prepare(ctx)
	}
	if err == nil {
		// The parts go first: after the commit, no caller would remove them if this failed.
		err = n.removeParts(ctx)
	}
	if err != nil {
		return nil, errors.Join(n.failed(err), n.Discard())
	}
	info, err := n.place(ctx, p)
	if err == nil {
		n.ended = true
		return info, nil
	}
	if discarded := n.Discard(); discarded != nil {
		err = errors.Join(err, discarded)
	}
	return nil, err
}

// removeParts removes what was kept, if anything was.
func (n *replacement) removeParts(ctx context.Context) error {
	if n.kept == "" {
		return nil
	}
	err := n.fs.options.Names.Detach(ctx, n.kept, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Discard deletes the content, also the parts that were kept.
func (n *replacement) Discard() error {
	if n.ended {
		return nil
	}
	n.ended = true
	return n.failed(errors.Join(n.upload.discard(), n.removeParts(n.upload.ctx)))
}

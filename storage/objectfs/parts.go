package objectfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/names"
)

// Content that is kept for a later Replacement (storage.Keeper) consists of parts, because an
// object can't grow. The parts are files in a collection with the name of the content, and the name
// of each is its offset. A part ends where the next one begins, if it doesn't end before.

// partsMark marks such a collection. It is a bit of Perm that no permission has.
const partsMark = 1 << 20

// keepsParts reports whether node is a collection of parts.
func keepsParts(node names.Node) bool { return node.Dir && node.Perm&partsMark != 0 }

// part is a part of content.
type part struct {
	names.Node
	offset, end int64
}

// partName returns the name of the part that begins at offset.
func partName(offset int64) string { return fmt.Sprintf("%016x", offset) }

// parts returns the parts of the content that is kept in the collection id, and its length.
func (f *FS) parts(ctx context.Context, id int64) ([]part, int64, error) {
	var all []part
	for after := ""; ; {
		nodes, err := f.options.Names.Members(ctx, id, after, f.page)
		if err != nil {
			return nil, 0, err
		}
		for _, node := range nodes {
			offset, err := strconv.ParseInt(node.Name, 16, 64)
			if err != nil || node.Dir {
				return nil, 0, fmt.Errorf("%w: %q is no part of an upload", fs.ErrInvalid, node.Name)
			}
			if n := len(all); n > 0 {
				all[n-1].end = min(all[n-1].end, offset)
			}
			all = append(all, part{node, offset, offset + node.Size})
			after = node.Name
		}
		if len(nodes) < f.page {
			break
		}
	}
	at := int64(0)
	for _, p := range all {
		if p.offset != at {
			return nil, 0, storage.ErrStageLost
		}
		at = p.end
	}
	return all, at, nil
}

// whole returns node, a collection of parts, as the file that they make up.
func (f *FS) whole(ctx context.Context, node names.Node) (names.Node, error) {
	_, size, err := f.parts(ctx, node.ID)
	node.Dir, node.Size, node.Perm = false, size, node.Perm&^partsMark
	return node, err
}

// openParts opens a collection of parts as the file that they make up.
func (f *FS) openParts(ctx context.Context, node names.Node, name, full string) (storage.File, fs.FileInfo, error) {
	all, size, err := f.parts(ctx, node.ID)
	if err != nil {
		return nil, nil, err
	}
	node.Dir, node.Size, node.Perm = false, size, node.Perm&^partsMark
	info := f.info(node, full)
	return &file{content: newSeeker(ctx, chain{f, full, all}, size), name: name, info: info}, info, nil
}

// cutParts makes the kept content name end at the offset from. It fails with storage.ErrStageLost,
// and changes nothing, if there is less.
func (f *FS) cutParts(ctx context.Context, name string, from int64) error {
	node, err := f.options.Names.Find(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && from == 0:
		return nil
	case errors.Is(err, fs.ErrNotExist), err == nil && !keepsParts(node):
		return storage.ErrStageLost
	case err != nil:
		return err
	case from == 0:
		return f.options.Names.Detach(ctx, name, false)
	}
	all, end, err := f.parts(ctx, node.ID)
	switch {
	case err != nil:
		return err
	case end < from:
		return storage.ErrStageLost
	case end == from:
		return nil
	}
	// The last parts go first, so that the rest is whole after each step.
	for i := len(all) - 1; i >= 0 && all[i].offset >= from; i-- {
		if err := f.options.Names.Detach(ctx, path.Join(name, all[i].Name), false); err != nil {
			return err
		}
	}
	// An empty part ends the one before it.
	_, err = f.putEmpty(ctx, path.Join(name, partName(from)), 0o600, false)
	return err
}

// addPart puts the content of u into the parts name, at the offset from.
func (f *FS) addPart(ctx context.Context, name string, u *upload, from int64) error {
	content, err := u.finish(ctx)
	if err != nil {
		return errors.Join(err, u.discard())
	}
	if _, err := f.options.Names.Mkdir(ctx, name, 0o600|partsMark); err != nil && !errors.Is(err, fs.ErrExist) {
		return errors.Join(err, u.discard())
	}
	if content.Size == 0 {
		return nil
	}
	_, err = f.put(ctx, path.Join(name, partName(from)), u, content, names.Placing{Perm: 0o600, Modified: storage.Modified(noTime)})
	return err
}

// Keep leaves the content in its parts. It is always durable.
func (n *replacement) Keep(ctx context.Context, _ storage.Sync) error {
	switch {
	case n.ended:
		return n.failed(fs.ErrClosed)
	case n.kept == "":
		return n.failed(errors.Join(fs.ErrInvalid, n.Discard()))
	}
	n.ended = true
	if n.ready != nil {
		return n.failed(fs.ErrInvalid)
	}
	return n.failed(n.fs.addPart(ctx, n.kept, n.upload, n.from))
}

// join makes an upload of all parts, the last one included.
func (n *replacement) join(ctx context.Context) error {
	if err := n.fs.addPart(ctx, n.kept, n.upload, n.from); err != nil {
		return err
	}
	modified := n.upload.modified
	n.upload = n.fs.newUpload(n.upload.ctx, n.name)
	n.upload.modified = modified
	file, _, err := n.fs.openToRead(ctx, n.kept)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(n.upload, file)
	return err
}

// chain is content in parts.
type chain struct {
	fs    *FS
	name  string
	parts []part
}

// open implements source.
func (c chain) open(ctx context.Context, offset, _ int64) (io.ReadCloser, error) {
	return &chained{chain: c, ctx: ctx, offset: offset}, nil
}

// chained reads the parts of a chain.
type chained struct {
	chain
	offset int64
	part   io.ReadCloser // the one that contains offset, or nil
	end    int64         // of the part

	ctx context.Context //nolint:containedctx // for Read
}

// Read implements io.Reader.
func (c *chained) Read(p []byte) (int, error) {
	if c.part != nil && c.offset == c.end {
		_ = c.Close()
	}
	if c.part == nil {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n, err := c.part.Read(p[:min(int64(len(p)), c.end-c.offset)])
	c.offset += int64(n)
	if errors.Is(err, io.EOF) {
		err = nil
		if c.offset < c.end {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// next opens the part that contains the offset.
func (c *chained) next() error {
	for _, p := range c.parts {
		if c.offset < p.offset || c.offset >= p.end {
			continue
		}
		in, err := c.fs.contentOf(c.ctx, path.Join(c.name, p.Name), p.Node)
		if err != nil {
			return err
		}
		if skip := c.offset - p.offset; skip > 0 {
			if s, ok := in.(io.Seeker); ok {
				if _, err := s.Seek(skip, io.SeekStart); err != nil {
					return errors.Join(err, in.Close())
				}
			}
		}
		c.part, c.end = in, p.end
		return nil
	}
	return io.EOF
}

// Close implements io.Closer.
func (c *chained) Close() error {
	if c.part == nil {
		return nil
	}
	err := c.part.Close()
	c.part = nil
	return err
}

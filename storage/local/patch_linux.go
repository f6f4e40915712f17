package local

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/davd/davd/storage"
)

// patch copies the content and the user's extended attributes of the file in s to the
// stage to, and sets the write position to offset. The file must match base.
func (f *FS) patch(ctx context.Context, to stage, s *spot, base storage.PatchBase, offset int64) error {
	o, err := f.openOriginal(s.holder, parent(s.path), s.base)
	if err != nil {
		return err
	}
	defer o.close()
	if err := base.Check(&described{stat: o.stat}); err != nil {
		return err
	}
	buf, _ := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buf)
	// A file on another filesystem than its collection is a mount point and can't be replaced.
	t := &target{place: place{fsys: f}, dev: o.stat.Dev, wrote: func(int64) {}, buf: buf}
	attrs, _, err := t.attrs.list(o, buf[:])
	if err == nil {
		err = t.fill(ctx, o, to.fd())
	}
	if err == nil {
		err = t.attrs.copy(o, to.fd(), attrs, buf[:])
	}
	if err == nil {
		_, err = unix.Seek(to.fd(), offset, unix.SEEK_SET)
	}
	return err
}

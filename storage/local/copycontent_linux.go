package local

import (
	"context"
	"errors"
	"math"

	"golang.org/x/sys/unix"
)

const (
	// copyStep is how much is copied before the context is checked again: enough for
	// the kernel to work efficiently, and under 100 ms at 40 MB/s.
	copyStep = 4 << 20 // bytes

	// kernelCopy is the least size for copy_file_range(2), which is slower than reading
	// and writing for smaller pieces on ext4, XFS and tmpfs.
	kernelCopy = 64 << 10 // bytes

	// statBlock is the unit of a stat's Blocks, whatever its Blksize.
	statBlock = 512 // bytes

	// hole is the least difference between the length of a file and the space allocated
	// for it that makes the copier look for holes.
	hole = 4 << 10 // bytes
)

// fill copies the content of o to the new file fd.
func (t *target) fill(ctx context.Context, o *original, fd int) error {
	size := o.stat.Size
	switch {
	case size == 0:
		// Some filesystems report the size 0 for files that have content.
		_, err := t.buffered(ctx, o.fd, fd, 0, math.MaxInt64)
		return err
	case t.clone(o, fd):
		t.wrote(size)
		return nil
	case o.stat.Blocks*statBlock <= size-hole:
		return t.sparse(ctx, o.fd, fd, size)
	}
	_, err := t.span(ctx, o.fd, fd, 0, size)
	return err
}

// noClones are the errors that mean that two filesystems, or the kernel, never let files
// share blocks. Other errors concern only the two files.
var noClones = []error{unix.EOPNOTSUPP, unix.ENOTTY, unix.ENOSYS, unix.EXDEV}

// clone makes fd share the blocks of o, and reports whether it could.
func (t *target) clone(o *original, fd int) bool {
	devices := [2]uint64{o.stat.Dev, t.dev}
	if _, never := t.fsys.noClone.Load(devices); never {
		return false
	}
	_, err := retry(func() (int, error) { return 0, unix.IoctlFileClone(fd, o.fd) })
	if isOneOf(err, noClones) {
		t.fsys.noClone.Store(devices, nil)
	}
	return err == nil
}

// sparse copies a file of size bytes and preserves its holes.
func (t *target) sparse(ctx context.Context, in, out int, size int64) error {
	for at := int64(0); at < size; {
		data, err := unix.Seek(in, at, unix.SEEK_DATA)
		switch {
		case errors.Is(err, unix.ENXIO):
			return t.endInHole(in, out, at)
		case err != nil:
			// This filesystem doesn't report holes.
			_, err = t.span(ctx, in, out, at, size)
			return err
		}
		if skipped := min(data, size) - at; skipped > 0 {
			t.wrote(skipped)
		}
		end, err := unix.Seek(in, data, unix.SEEK_HOLE)
		if errors.Is(err, unix.ENXIO) {
			continue // The file has been truncated meanwhile.
		}
		if err != nil {
			return err
		}
		if at, err = t.span(ctx, in, out, data, end); err != nil {
			return err
		}
		if at < end {
			return nil // The file has been truncated meanwhile.
		}
	}
	return nil
}

// endInHole sets the length of out to that of in. The first at bytes have been copied.
func (t *target) endInHole(in, out int, at int64) error {
	var stat unix.Stat_t
	if err := unix.Fstat(in, &stat); err != nil {
		return err
	}
	if stat.Size > at {
		t.wrote(stat.Size - at)
	}
	return unix.Ftruncate(out, stat.Size)
}

// span copies the bytes of in from at to end, and returns the offset where it stopped.
func (t *target) span(ctx context.Context, in, out int, at, end int64) (int64, error) {
	for end-at >= kernelCopy {
		if err := ctx.Err(); err != nil {
			return at, err
		}
		from, to := at, at
		n, err := retry(func() (int, error) {
			return unix.CopyFileRange(in, &from, out, &to, int(min(end-at, copyStep)), 0)
		})
		if err != nil || n == 0 {
			// The kernel can't copy these two files, or the file has ended. buffered finds out.
			break
		}
		at += int64(n)
		t.wrote(int64(n))
	}
	return t.buffered(ctx, in, out, at, end)
}

// buffered is span, but copies through a buffer.
func (t *target) buffered(ctx context.Context, in, out int, at, end int64) (int64, error) {
	for at < end {
		if err := ctx.Err(); err != nil {
			return at, err
		}
		part := t.buf[:min(end-at, copyBuffer)]
		n, err := retry(func() (int, error) { return unix.Pread(in, part, at) })
		if err != nil || n == 0 {
			return at, err
		}
		if err := writeAt(out, part[:n], at); err != nil {
			return at, err
		}
		at += int64(n)
		t.wrote(int64(n))
	}
	return at, nil
}

func writeAt(out int, p []byte, at int64) error {
	for len(p) > 0 {
		n, err := retry(func() (int, error) { return unix.Pwrite(out, p, at) })
		if err != nil {
			return err
		}
		p, at = p[n:], at+int64(n)
	}
	return nil
}

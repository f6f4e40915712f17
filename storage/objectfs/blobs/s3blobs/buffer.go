package s3blobs

import (
	"bytes"
	"io"

	"github.com/davd/davd/storage/objectfs/blobs"
)

// buffer is a part of an upload: in memory, or in a temporary file.
type buffer struct {
	limit  int // the greatest size
	size   int
	memory []byte           // of the capacity limit, or nil
	file   *blobs.Temporary // if it is not in memory
}

func (b *buffer) full() bool { return b.size == b.limit }

// Write implements io.Writer. It takes no more than fits.
func (b *buffer) Write(p []byte) (n int, err error) {
	n = min(len(p), b.limit-b.size)
	if b.file == nil {
		b.memory = append(b.memory, p[:n]...)
	} else {
		n, err = b.file.WriteAt(p[:n], int64(b.size))
	}
	b.size += n
	return n, err
}

// reader reads what was written.
func (b *buffer) reader() io.ReaderAt {
	if b.file != nil {
		return b.file
	}
	return bytes.NewReader(b.memory)
}

// pieces reads buffers one after the other. Unlike io.MultiReader it can seek, because a body is read
// for its signature, and again for each repetition.
type pieces []*buffer

// ReadAt implements io.ReaderAt.
func (p pieces) ReadAt(b []byte, offset int64) (n int, err error) {
	for _, piece := range p {
		size := int64(piece.size)
		if offset < size && n < len(b) {
			m, err := piece.reader().ReadAt(b[n:min(int64(len(b)), int64(n)+size-offset)], offset)
			n += m
			if err != nil && err != io.EOF {
				return n, err
			}
			offset = size
		}
		offset -= size
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// body returns the content of the buffers.
func body(all ...*buffer) *io.SectionReader {
	size := int64(0)
	for _, piece := range all {
		size += int64(piece.size)
	}
	return io.NewSectionReader(pieces(all), 0, size)
}

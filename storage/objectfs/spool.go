package objectfs

import (
	"io"

	"github.com/davd/davd/storage/objectfs/blobs"
)

// spoolMemory is how much of a spool is in memory, in bytes. Larger content is in a temporary file.
const spoolMemory = 1 << 20

// spool is content that is being put together. The zero value is empty.
type spool struct {
	memory []byte
	file   *blobs.Temporary // nil while the content is in memory
	size   int64
}

// ReadAt implements io.ReaderAt.
func (s *spool) ReadAt(p []byte, offset int64) (int, error) {
	if offset >= s.size {
		return 0, io.EOF
	}
	if s.file != nil {
		return s.file.ReadAt(p, offset)
	}
	n := copy(p, s.memory[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt. What is between the end and offset becomes zeros.
func (s *spool) WriteAt(p []byte, offset int64) (int, error) {
	end := offset + int64(len(p))
	if s.file == nil && end > spoolMemory {
		if err := s.toFile(); err != nil {
			return 0, err
		}
	}
	n := len(p)
	if s.file != nil {
		var err error
		if n, err = s.file.WriteAt(p, offset); err != nil {
			return n, err
		}
	} else {
		if more := end - int64(len(s.memory)); more > 0 {
			s.memory = append(s.memory, make([]byte, more)...)
		}
		copy(s.memory[offset:], p)
	}
	s.size = max(s.size, end)
	return n, nil
}

// toFile moves the content to a temporary file.
func (s *spool) toFile() error {
	file, err := blobs.NewTemporary()
	if err != nil {
		return err
	}
	s.file = &file
	_, err = file.WriteAt(s.memory, 0)
	s.memory = nil
	return err
}

// Close removes the content.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// sequence writes to a spool from the start.
type sequence struct {
	spool  *spool
	offset int64
}

// Write implements io.Writer.
func (s *sequence) Write(p []byte) (int, error) {
	n, err := s.spool.WriteAt(p, s.offset)
	s.offset += int64(n)
	return n, err
}

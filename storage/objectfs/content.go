package objectfs

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/davd/davd/storage"
)

// skipped is how many bytes of an object are read and thrown away rather than opened anew.
const skipped = 64 << 10

// source opens content.
type source interface {
	// open returns the content from offset, in bytes, to its end.
	open(ctx context.Context, offset int64) (io.ReadCloser, error)
}

// object is content in an object.
type object struct {
	fs  *FS
	key string
}

func (o object) open(ctx context.Context, offset int64) (io.ReadCloser, error) {
	return o.fs.options.Blobs.Open(ctx, o.key, offset)
}

// seeker reads content from any offset. It opens the source when it is read.
type seeker struct {
	source source
	size   int64
	offset int64 // of the next byte for the reader

	stream io.ReadCloser // nil if it is not open
	at     int64         // the offset of the stream

	// ctx ends with Close.
	ctx  context.Context //nolint:containedctx // for Read
	stop context.CancelFunc
}

// newSeeker returns a reader that also ends with ctx.
func newSeeker(ctx context.Context, s source, size int64) *seeker {
	ctx, stop := context.WithCancel(ctx)
	return &seeker{source: s, size: size, ctx: ctx, stop: stop}
}

// Read implements io.Reader.
func (s *seeker) Read(p []byte) (int, error) {
	if s.offset >= s.size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if err := s.position(); err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), s.size-s.offset)]
	n, err := s.stream.Read(p)
	s.at += int64(n)
	s.offset = s.at
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF) && s.offset == s.size:
		return n, nil // The next call returns io.EOF.
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	s.release()
	return n, err
}

// SendTo sends the next n bytes to w, as the stream does that.
func (s *seeker) SendTo(w io.Writer, n int64) (int64, error) {
	if n = min(n, s.size-s.offset); n <= 0 {
		return 0, nil
	}
	if err := s.position(); err != nil {
		return 0, err
	}
	stream, ok := s.stream.(storage.Sender)
	if !ok {
		return io.CopyN(w, struct{ io.Reader }{s}, n)
	}
	sent, err := stream.SendTo(w, n)
	s.at += sent
	s.offset = s.at
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		s.release()
	}
	return sent, err
}

// position makes the stream go on at the offset.
func (s *seeker) position() error {
	if s.stream != nil && s.at != s.offset {
		if ahead := s.offset - s.at; ahead > 0 && ahead <= skipped {
			n, err := io.CopyN(io.Discard, s.stream, ahead)
			s.at += n
			if err != nil {
				s.release()
			}
		} else {
			s.release()
		}
	}
	if s.stream != nil {
		return nil
	}
	var err error
	s.stream, err = s.source.open(s.ctx, s.offset)
	s.at = s.offset
	return err
}

// release closes the stream. It was only read, so an error means nothing.
func (s *seeker) release() {
	if s.stream != nil {
		_ = s.stream.Close()
		s.stream = nil
	}
}

// Seek implements io.Seeker.
func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	to, err := seek(s.offset, s.size, offset, whence)
	if err == nil {
		s.offset = to
	}
	return to, err
}

// seek returns where a Seek from the offset at leads.
func seek(at, size, offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
		at = 0
	case io.SeekCurrent:
	case io.SeekEnd:
		at = size
	default:
		return at, fs.ErrInvalid
	}
	if offset < -at {
		return at, fs.ErrInvalid
	}
	return at + offset, nil
}

// Close ends the reading.
func (s *seeker) Close() error {
	s.release()
	s.stop()
	return nil
}

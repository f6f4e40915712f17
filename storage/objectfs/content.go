package objectfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/davd/davd/storage"
)

const (
	// skipped is how many bytes of an object are read and thrown away rather than opened anew.
	skipped = 64 << 10
	// firstWindow is how many bytes of an object are asked for by the first Read. Each time that it
	// goes on at their end, it asks for twice as many.
	firstWindow = 1 << 20
)

// source opens content.
type source interface {
	// open returns length bytes of the content from offset, in bytes, or all to its end if length
	// is negative. It may return more.
	open(ctx context.Context, offset, length int64) (io.ReadCloser, error)
}

// object is content in an object.
type object struct {
	fs  *FS
	key string
}

func (o object) open(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	content, err := o.fs.options.Blobs.Open(ctx, o.key, offset, length)
	if isMissing(err) {
		// The file exists, so this must not look as if it did not. An object outlives its file by hours.
		err = fmt.Errorf("the object %s with the content of the file is missing: davd storage check says what to do", o.key)
	}
	return content, err
}

// seeker reads content from any offset. It opens the source when it is read.
type seeker struct {
	source source
	size   int64
	offset int64 // of the next byte for the reader

	stream io.ReadCloser // nil if it is not open
	at     int64         // the offset of the stream
	end    int64         // where the stream ends
	window int64         // how many bytes the last Read without an open stream has asked for

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
	if err := s.position(s.ahead()); err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), s.end-s.at)]
	n, err := s.stream.Read(p)
	s.at += int64(n)
	s.offset = s.at
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF) && s.at == s.end:
		return n, nil // The next call goes on, or returns io.EOF.
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	s.release()
	return n, err
}

// ahead returns how many bytes a Read may ask for.
func (s *seeker) ahead() int64 {
	switch {
	case s.stream != nil && s.at == s.offset && s.at < s.end:
	case s.window > 0 && s.offset == s.end:
		s.window *= 2
	default:
		s.window = firstWindow
	}
	return s.window
}

// SendTo sends the next n bytes to w, as the stream does that. It asks for these bytes alone.
func (s *seeker) SendTo(w io.Writer, n int64) (sent int64, err error) {
	n = min(n, s.size-s.offset)
	for sent < n && err == nil {
		if err = s.position(n - sent); err == nil {
			var m int64
			m, err = s.send(w, min(n-sent, s.end-s.at))
			sent += m
		}
	}
	return sent, err
}

// send sends n bytes of the open stream.
func (s *seeker) send(w io.Writer, n int64) (int64, error) {
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

// position makes the stream go on at the offset. If it must be opened, that is for length bytes.
func (s *seeker) position(length int64) error {
	if s.stream != nil && s.offset >= s.end {
		s.release()
	}
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
	s.at, s.end = s.offset, s.size
	if length < s.end-s.at {
		s.end = s.at + length
	} else {
		length = -1 // A whole object needs no range.
	}
	var err error
	s.stream, err = s.source.open(s.ctx, s.at, length)
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

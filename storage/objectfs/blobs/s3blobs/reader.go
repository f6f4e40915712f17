package s3blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// reconnects is how often a reader may connect again without getting a byte.
const reconnects = 3

// reader reads an object. If its connection breaks, it goes on with another one. The system's
// receive buffer is its read-ahead.
type reader struct {
	store  *Store
	ctx    context.Context //nolint:containedctx // the reader lives as long as the request that opened it
	key    string
	offset int64
	end    int64   // of what is read; negative if that is the end of the object
	etag   *string // of the first answer: an object never changes

	body   io.ReadCloser // nil after an error
	left   int64         // what the body still has, in bytes; negative if that is unknown
	conn   *counted      // of the request; nil if it has TLS
	again  bool          // the body is nil because the connection must be made again
	cancel context.CancelFunc
	stall  *time.Timer // cancels the request
	failed int         // how often the connection broke since the last byte
}

// Open opens the object key. The reader ends with ctx.
func (s *Store) Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if _, err := s.name(key); err != nil {
		return nil, err
	}
	r := &reader{store: s, ctx: ctx, key: key, offset: offset, end: -1}
	switch {
	case length == 0:
		return http.NoBody, nil
	case length > 0:
		r.end = offset + length
	}
	if err := r.connect(); err != nil {
		return nil, s.failed(ctx, "open", key, err)
	}
	return r, nil
}

// connect requests what is left to read.
func (r *reader) connect() error {
	ctx, cancel := context.WithCancel(r.traced(r.ctx))
	r.conn = nil
	input := &s3.GetObjectInput{Bucket: &r.store.bucket, Key: aws.String(r.store.prefix + r.key), IfMatch: r.etag}
	switch {
	case r.end >= 0:
		input.Range = aws.String(fmt.Sprintf("bytes=%d-%d", r.offset, r.end-1))
	case r.offset > 0:
		input.Range = aws.String(fmt.Sprintf("bytes=%d-", r.offset))
	}
	timer := time.AfterFunc(requestTimeout, cancel)
	out, err := r.store.client.GetObject(ctx, input)
	if _, status := codeOf(err); status == http.StatusRequestedRangeNotSatisfiable {
		timer.Stop()
		r.body, r.cancel, r.stall = http.NoBody, cancel, timer // The offset is the end.
		return nil
	}
	if err != nil {
		timer.Stop()
		cancel()
		return err
	}
	r.body, r.cancel, r.stall, r.etag = out.Body, cancel, timer, out.ETag
	r.left = -1
	if out.ContentLength != nil {
		r.left = *out.ContentLength
	}
	timer.Stop()
	return nil
}

func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if r.offset == r.end {
			return 0, io.EOF
		}
		if r.body == nil {
			if !r.again {
				return 0, fs.ErrClosed
			}
			if err := r.resume(); err != nil {
				return 0, err
			}
		}
		if r.end >= 0 {
			p = p[:min(int64(len(p)), r.end-r.offset)]
		}
		r.stall.Reset(stallTimeout)
		n, err := r.body.Read(p)
		r.stall.Stop()
		r.offset += int64(n)
		r.left -= int64(n)
		if n > 0 {
			r.failed = 0
			return n, nil // A broken connection shows again.
		}
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) {
			return 0, io.EOF
		}
		if err := r.reconnect(err); err != nil {
			return 0, err
		}
	}
}

// resume connects again after move.
func (r *reader) resume() error {
	err := r.connect()
	if err != nil {
		return r.store.failed(r.ctx, "read", r.key, err)
	}
	r.again = false
	return nil
}

// reconnect connects again after err.
func (r *reader) reconnect(err error) error {
	for {
		if r.body != nil {
			_ = r.disconnect() // It is broken.
		}
		if r.failed++; r.failed > reconnects || r.ctx.Err() != nil {
			return r.store.failed(r.ctx, "read", r.key, err)
		}
		if err = r.connect(); err == nil {
			return nil
		}
		if _, status := codeOf(err); status >= 400 && status < 500 {
			return r.store.failed(r.ctx, "read", r.key, err)
		}
	}
}

func (r *reader) disconnect() error {
	r.stall.Stop()
	r.cancel()
	err := r.body.Close()
	r.body = nil
	return err
}

// Close ends the reader. The connection is used again if it was read to its end.
func (r *reader) Close() error {
	r.again = false
	if r.body == nil {
		return nil
	}
	r.stall.Stop()
	err := r.body.Close()
	r.cancel()
	r.body = nil
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

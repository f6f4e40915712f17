package s3blobs

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/davd/davd/storage/objectfs/blobs"
)

// parallel is how many parts of an object are sent at a time.
const parallel = 4

// writer writes an object: with one PutObject, or in parts if it is larger than oneRequest or
// memory is scarce.
type writer struct {
	store   *Store
	ctx     context.Context //nolint:containedctx // for the parts, which are sent in the background
	cancel  context.CancelFunc
	key     string
	name    *string
	meta    map[string]string
	size    int64 // -1: unknown
	written int64
	closed  bool

	part    int       // the size of a part
	waiting []*buffer // full buffers, which a single request can still send
	current *buffer   // nil, or the buffer that is being filled
	spools  bool      // there was no memory, so the parts are in temporary files
	upload  *string   // nil before the first part is sent

	sending int // parts under way
	results chan result
	sent    []types.CompletedPart // in their order; the ETag comes with the result
	err     error                 // the first one of a part
}

// result is what became of a part.
type result struct {
	number int32
	etag   *string
	err    error
}

// Create begins the object key. Parts are sent with ctx.
func (s *Store) Create(ctx context.Context, key string, size int64, meta blobs.Meta) (blobs.Writer, error) {
	name, err := s.name(key)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	w := &writer{store: s, key: key, name: name, meta: encodeMeta(meta), size: size, part: partFor(size), results: make(chan result, parallel)}
	w.ctx, w.cancel = context.WithCancel(ctx)
	return w, nil
}

// partFor returns the size of the parts of an object. Servers may demand that all but the last
// one are equally long.
func partFor(size int64) int {
	switch {
	case size >= 0 && size <= oneRequest:
		return int(size)
	case size > partSize*maxParts:
		return int((size + maxParts - 1) / maxParts)
	}
	return partSize
}

func (w *writer) Write(p []byte) (n int, err error) {
	if w.closed {
		return 0, fs.ErrClosed
	}
	if w.size >= 0 && w.written+int64(len(p)) > w.size {
		return 0, blobs.CheckSize(w.size, w.written+int64(len(p)))
	}
	for len(p) > 0 {
		if w.current == nil || w.current.full() {
			if err := w.next(); err != nil {
				return n, err
			}
		}
		m, err := w.store.memory.write(w.current, p)
		w.written += int64(m)
		n, p = n+m, p[m:]
		if err != nil {
			return n, &fs.PathError{Op: "write", Path: w.store.identity + w.key, Err: err}
		}
	}
	return n, nil
}

// next gets a buffer. A full one is sent if the object is too large for one request.
func (w *writer) next() error {
	if w.current != nil {
		w.waiting, w.current = append(w.waiting, w.current), nil
	}
	if w.upload != nil || len(w.waiting)*w.part >= oneRequest || w.size > oneRequest {
		if err := w.send(); err != nil {
			return err
		}
	}
	memory := w.store.memory
	for {
		if w.current = memory.try(w.part); w.current == nil && w.spools {
			w.current = memory.file(w.part)
		}
		if w.current != nil {
			return nil
		}
		if w.sending == 0 && len(w.waiting) == 0 {
			return w.wait()
		}
		if err := w.send(); err != nil {
			return err
		}
		if err := w.collect(); err != nil {
			return err
		}
	}
}

// wait gets a buffer for a writer that holds none.
func (w *writer) wait() (err error) {
	w.current, err = w.store.memory.wait(w.ctx, w.part)
	if err != nil {
		return &fs.PathError{Op: "write", Path: w.store.identity + w.key, Err: err}
	}
	w.spools = w.current.file != nil
	return nil
}

// send sends the full buffers as parts, in the background.
func (w *writer) send() error {
	if len(w.waiting) > 0 && w.upload == nil {
		ctx, cancel := limit(w.ctx, 0)
		defer cancel()
		out, err := w.store.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
			Bucket: &w.store.bucket, Key: w.name, Metadata: w.meta,
		})
		if err != nil {
			return w.store.failed(w.ctx, "create", w.key, err)
		}
		w.upload = out.UploadId
	}
	for len(w.waiting) > 0 {
		if w.sending == parallel {
			if err := w.collect(); err != nil {
				return err
			}
		}
		if len(w.sent) == maxParts {
			return &fs.PathError{Op: "create", Path: w.store.identity + w.key, Err: syscall.EFBIG}
		}
		part := w.waiting[0]
		w.waiting = slices.Delete(w.waiting, 0, 1)
		number := int32(len(w.sent) + 1) //nolint:gosec // at most maxParts
		w.sent = append(w.sent, types.CompletedPart{PartNumber: &number})
		w.sending++
		go func() { w.results <- w.sendPart(number, part) }()
	}
	return nil
}

// sendPart sends a part, and gives its buffer back.
func (w *writer) sendPart(number int32, part *buffer) result {
	defer w.store.memory.put(part)
	ctx, cancel := limit(w.ctx, int64(part.size))
	defer cancel()
	out, err := w.store.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket: &w.store.bucket, Key: w.name, UploadId: w.upload, PartNumber: &number,
		Body: body(part), ContentLength: aws.Int64(int64(part.size)),
	})
	if err != nil {
		return result{number: number, err: w.store.failed(w.ctx, "write", w.key, err)}
	}
	return result{number: number, etag: out.ETag}
}

// collect waits for the result of a part, and returns the first error of all parts.
func (w *writer) collect() error {
	if w.sending > 0 {
		r := <-w.results
		w.sending--
		w.sent[r.number-1].ETag = r.etag
		if w.err == nil {
			w.err = r.err
		}
	}
	return w.err
}

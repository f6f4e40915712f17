package s3blobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
)

// Finish sends the rest. If the last answer is lost, it looks whether the object exists.
func (w *writer) Finish(ctx context.Context) error {
	if w.closed {
		return fs.ErrClosed
	}
	err := blobs.CheckSize(w.size, w.written)
	switch {
	case err != nil:
	case w.upload == nil:
		err = w.putObject(ctx)
	default:
		err = w.complete(ctx)
	}
	if err != nil {
		return errors.Join(err, w.Discard())
	}
	w.release()
	return nil
}

// putObject sends the whole object with one request.
func (w *writer) putObject(ctx context.Context) error {
	limited, cancel := limit(ctx, w.written)
	defer cancel()
	_, err := w.store.client.PutObject(limited, &s3.PutObjectInput{
		Bucket: &w.store.bucket, Key: w.name, Metadata: w.meta,
		Body: body(w.held()...), ContentLength: &w.written,
	})
	return w.outcome(ctx, err)
}

// complete sends the last part and puts all parts together.
func (w *writer) complete(ctx context.Context) error {
	w.waiting, w.current = w.held(), nil
	if err := w.send(); err != nil {
		return err
	}
	for w.sending > 0 {
		if err := w.collect(); err != nil {
			return err
		}
	}
	if w.err != nil {
		return w.err
	}
	limited, cancel := limit(ctx, 0)
	defer cancel()
	_, err := w.store.client.CompleteMultipartUpload(limited, &s3.CompleteMultipartUploadInput{
		Bucket: &w.store.bucket, Key: w.name, UploadId: w.upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: w.sent},
	})
	return w.outcome(ctx, err)
}

// outcome returns nil if the object exists after a request that returned err. An answer may be
// lost, and its repetition can fail because the first request did everything.
func (w *writer) outcome(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	failed := w.store.failed(ctx, "finish", w.key, err)
	if _, status := codeOf(err); status >= 400 && status < 500 && status != http.StatusNotFound || ctx.Err() != nil {
		return failed
	}
	found, err := w.store.Stat(ctx, w.key)
	if err == nil && found.Size == w.written {
		return nil
	}
	if errors.Is(failed, fs.ErrNotExist) { // The upload or the bucket is missing.
		return fmt.Errorf("%w: the upload was aborted by others, or the bucket is gone: %v", storage.ErrUnavailable, failed) //nolint:errorlint // it must not match fs.ErrNotExist
	}
	return failed
}

// held returns the buffers that are not being sent.
func (w *writer) held() []*buffer {
	if w.current == nil {
		return w.waiting
	}
	return append(w.waiting, w.current)
}

// Discard ends the upload and gives its memory back.
func (w *writer) Discard() error {
	if w.closed {
		return nil
	}
	canceled := w.sending > 0
	w.release()
	if w.upload == nil {
		return nil
	}
	ctx := context.WithoutCancel(w.ctx)
	err := w.store.abort(ctx, w.key, *w.upload)
	// A server may go on with a part whose request was canceled, and keep it after the upload was
	// aborted. Then it must be aborted again (S3 API reference, AbortMultipartUpload).
	for n := 0; canceled && err == nil && n < abortsAgain; n++ {
		time.Sleep(abortPause)
		err = w.store.abort(ctx, w.key, *w.upload)
	}
	return err
}

const (
	// abortsAgain is how often an upload is aborted again, and abortPause how long after.
	abortsAgain = 2
	abortPause  = 50 * time.Millisecond
)

// release ends the parts that are still under way, and gives all memory back.
func (w *writer) release() {
	w.closed = true
	w.cancel()
	for w.sending > 0 {
		_ = w.collect() // It was canceled.
	}
	for _, part := range w.held() {
		w.store.memory.put(part)
	}
	w.waiting, w.current = nil, nil
}

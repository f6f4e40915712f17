package s3blobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/davd/davd/storage"
	"github.com/davd/davd/storage/objectfs/blobs"
)

// batch is the greatest number of objects that one request removes.
const batch = 1000

// Remove removes objects, 1,000 with each request. Where the server can't do this, it removes them
// one by one.
func (s *Store) Remove(ctx context.Context, keys []string) error {
	names := make([]types.ObjectIdentifier, len(keys))
	for i, key := range keys {
		var err error
		if names[i].Key, err = s.name(key); err != nil {
			return err
		}
	}
	for len(names) > 0 {
		n := min(len(names), batch)
		if err := s.removeBatch(ctx, names[:n]); err != nil {
			return err
		}
		names = names[n:]
	}
	return nil
}

func (s *Store) removeBatch(ctx context.Context, names []types.ObjectIdentifier) error {
	limited, cancel := limit(ctx, 0)
	defer cancel()
	out, err := s.client.DeleteObjects(limited, &s3.DeleteObjectsInput{
		Bucket: &s.bucket, Delete: &types.Delete{Objects: names, Quiet: aws.Bool(true)},
	})
	// A client error may mean that the server knows no such request, or wants another checksum.
	if _, status := codeOf(err); status == http.StatusNotImplemented ||
		status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusForbidden {
		return s.removeEach(ctx, names)
	}
	if err != nil {
		return s.failed(limited, "remove", "", err)
	}
	for _, e := range out.Errors {
		if code := aws.ToString(e.Code); code != "NoSuchKey" && code != "NotFound" {
			err := fmt.Errorf("%w: %s: %s", storage.ErrUnavailable, code, aws.ToString(e.Message))
			return fmt.Errorf("removing %s in %s: %w", aws.ToString(e.Key), s.identity, err)
		}
	}
	return nil
}

func (s *Store) removeEach(ctx context.Context, names []types.ObjectIdentifier) error {
	for _, name := range names {
		limited, cancel := limit(ctx, 0)
		_, err := s.client.DeleteObject(limited, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: name.Key})
		if code, _ := codeOf(err); code == "NoSuchKey" {
			err = nil
		}
		err = s.failed(limited, "remove", "", err)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// List lists the objects, 1,000 with each request.
func (s *Store) List(ctx context.Context, after string) iter.Seq2[blobs.Object, error] {
	return func(yield func(blobs.Object, error) bool) {
		input := &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &s.prefix}
		if after != "" {
			input.StartAfter = aws.String(s.prefix + after)
		}
		for {
			page, err := s.page(ctx, input)
			if err != nil {
				yield(blobs.Object{}, err)
				return
			}
			for _, o := range page.Contents {
				key := strings.TrimPrefix(aws.ToString(o.Key), s.prefix)
				if blobs.CheckKey(key) != nil || key <= after {
					continue // Others may have objects in the bucket.
				}
				if !yield(blobs.Object{Key: key, Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
			if !aws.ToBool(page.IsTruncated) || page.NextContinuationToken == nil {
				return
			}
			input.ContinuationToken = page.NextContinuationToken
		}
	}
}

func (s *Store) page(ctx context.Context, input *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	page, err := s.client.ListObjectsV2(ctx, input)
	return page, s.failed(ctx, "list", "", err)
}

// RemoveUnfinished aborts uploads in parts.
func (s *Store) RemoveUnfinished(ctx context.Context, before time.Time, live func(key string) bool) (removed int, err error) {
	input := &s3.ListMultipartUploadsInput{Bucket: &s.bucket, Prefix: &s.prefix}
	for {
		page, err := s.uploads(ctx, input)
		if err != nil {
			return removed, err
		}
		for _, u := range page.Uploads {
			key := strings.TrimPrefix(aws.ToString(u.Key), s.prefix)
			if blobs.CheckKey(key) != nil || !aws.ToTime(u.Initiated).Before(before) || live(key) {
				continue
			}
			err := s.abort(ctx, key, aws.ToString(u.UploadId))
			if err != nil {
				return removed, err
			}
			removed++
		}
		if !aws.ToBool(page.IsTruncated) || len(page.Uploads) == 0 {
			return removed, nil
		}
		input.KeyMarker, input.UploadIdMarker = page.NextKeyMarker, page.NextUploadIdMarker
	}
}

func (s *Store) uploads(ctx context.Context, input *s3.ListMultipartUploadsInput) (*s3.ListMultipartUploadsOutput, error) {
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	page, err := s.client.ListMultipartUploads(ctx, input)
	return page, s.failed(ctx, "list uploads", "", err)
}

// abort aborts an upload in parts. One that doesn't exist counts as aborted.
func (s *Store) abort(ctx context.Context, key, upload string) error {
	ctx, cancel := limit(ctx, 0)
	defer cancel()
	_, err := s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &s.bucket, Key: aws.String(s.prefix + key), UploadId: &upload,
	})
	if err = s.failed(ctx, "abort", key, err); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

package s3blobs_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/blobstest"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/storagetest/s3test"
)

// clients is how many requests are under way at a time.
const clients = 16

// shared runs do b.N times, by several clients.
func shared(b *testing.B, do func(ctx context.Context) error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	var group sync.WaitGroup
	b.ResetTimer()
	for range clients {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				if err := do(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func newBucket(b *testing.B) (*s3blobs.Store, *s3.Client, string) {
	b.Helper()
	endpoint, bucket := s3test.Bucket(b)
	return open(b, s3blobs.Options{Endpoint: endpoint, Bucket: bucket}), s3test.Client(endpoint), bucket
}

// BenchmarkPut writes objects of 1 KiB by 16 clients, next to the SDK alone.
func BenchmarkPut(b *testing.B) {
	store, client, bucket := newBucket(b)
	content := blobstest.Bytes(1 << 10)
	b.Run("plain", func(b *testing.B) {
		shared(b, func(ctx context.Context) error {
			_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String(blobstest.Key()), Body: bytes.NewReader(content)})
			return err
		})
	})
	b.Run("store", func(b *testing.B) {
		shared(b, func(ctx context.Context) error {
			return blobstest.Put(ctx, store, blobstest.Key(), content, int64(len(content)), blobs.Meta{Volume: "v", Name: "/a/b"})
		})
	})
}

// BenchmarkHead asks for an object by 16 clients, next to the SDK alone.
func BenchmarkHead(b *testing.B) {
	store, client, bucket := newBucket(b)
	key := blobstest.Key()
	if err := blobstest.Put(b.Context(), store, key, []byte("x"), 1, blobs.Meta{}); err != nil {
		b.Fatal(err)
	}
	b.Run("plain", func(b *testing.B) {
		shared(b, func(ctx context.Context) error {
			_, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
			return err
		})
	})
	b.Run("store", func(b *testing.B) {
		shared(b, func(ctx context.Context) error {
			_, err := store.Stat(ctx, key)
			return err
		})
	})
}

// BenchmarkLarge writes and reads an object of 1 GiB, next to the SDK alone and a plain HTTP client.
func BenchmarkLarge(b *testing.B) {
	const size = 1 << 30
	store, client, bucket := newBucket(b)
	key, piece := blobstest.Key(), blobstest.Bytes(1<<20)
	b.Run("write/store", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			w, err := store.Create(b.Context(), key, size, blobs.Meta{})
			for n := 0; n < size && err == nil; n += len(piece) {
				_, err = w.Write(piece)
			}
			if err != nil {
				b.Fatal(err)
			}
			if err := w.Finish(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	read := func(name string, open func() (io.ReadCloser, error)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				r, err := open()
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, r)
				if err != nil || n != size {
					b.Fatal(n, err)
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	presigned, err := s3.NewPresignClient(client).PresignGetObject(b.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		b.Fatal(err)
	}
	read("read/http", func() (io.ReadCloser, error) {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, presigned.URL, http.NoBody)
		if err != nil {
			return nil, err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		return res.Body, nil
	})
	read("read/plain", func() (io.ReadCloser, error) {
		out, err := client.GetObject(b.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		if err != nil {
			return nil, err
		}
		return out.Body, nil
	})
	read("read/store", func() (io.ReadCloser, error) { return store.Open(b.Context(), key, 0, -1) })
}

package s3blobs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/davd/davd/storage/objectfs/blobs"
	"github.com/davd/davd/storage/objectfs/blobs/blobstest"
	"github.com/davd/davd/storage/objectfs/blobs/s3blobs"
	"github.com/davd/davd/storage/storagetest/s3test"
)

// TestMemoryShared: many uploads to two stores with little memory in common all end, also those
// whose size is unknown.
func TestMemoryShared(t *testing.T) {
	t.Parallel()
	endpoint, bucket := s3test.Bucket(t)
	memory := s3blobs.NewMemory(20 << 20)
	stores := []*s3blobs.Store{
		open(t, s3blobs.Options{Endpoint: endpoint, Bucket: bucket, Prefix: "a/", Memory: memory}),
		open(t, s3blobs.Options{Endpoint: endpoint, Bucket: bucket, Prefix: "b/", Memory: memory}),
	}
	content := blobstest.Bytes(large + 5<<20)
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			store, key, size := stores[i%2], blobstest.Key(), int64(len(content))
			if i%3 == 0 {
				size = -1
			}
			if err := blobstest.Put(t.Context(), store, key, content, size, blobs.Meta{}); err != nil {
				t.Error(err)
				return
			}
			wants(t, store, key, content)
		})
	}
	group.Wait()
}

// TestMemoryReturned: what a writer holds is free again however it ends, and until then another
// writer waits.
func TestMemoryReturned(t *testing.T) {
	t.Parallel()
	endpoint, bucket := s3test.Bucket(t)
	store := open(t, s3blobs.Options{Endpoint: endpoint, Bucket: bucket, Memory: s3blobs.NewMemory(10 << 20)})
	for _, size := range []int64{-1, 9 << 20, large + 1} {
		holder, err := store.Create(t.Context(), blobstest.Key(), size, blobs.Meta{})
		if err == nil {
			_, err = holder.Write([]byte("x"))
		}
		if err != nil {
			t.Fatal(err)
		}
		waiting, cancel := context.WithCancel(t.Context())
		w, err := store.Create(waiting, blobstest.Key(), 3<<20, blobs.Meta{})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := w.Write(make([]byte, 1))
			ended <- err
		}()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("size %d: the second writer did not wait: %v", size, err)
		}
		if err := errors.Join(w.Discard(), holder.Discard()); err != nil {
			t.Error(err)
		}
		if err := blobstest.Put(t.Context(), store, blobstest.Key(), make([]byte, 10<<20), 10<<20, blobs.Meta{}); err != nil {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

func wants(t *testing.T, store *s3blobs.Store, key string, want []byte) {
	t.Helper()
	r, err := store.Open(t.Context(), key, 0, -1)
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
